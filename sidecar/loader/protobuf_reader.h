// ProtobufReader: the fields of a protobuf message, one after the other. Private to the loader.
//
// Why not protobuf itself: of a SentencePiece model we need a dozen fields of four flat messages. A
// copy of its .proto would have to be kept and generated, and the parser of the library takes
// messages apart without end before it says that something is amiss; this one stops at the first
// byte that does not fit, copies nothing and never recurses.
#ifndef SIDECAR_LOADER_PROTOBUF_READER_H_
#define SIDECAR_LOADER_PROTOBUF_READER_H_

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace triptych::loader {

// Views into the message, which must outlive it. Not thread-safe.
class ProtobufReader {
 public:
  enum class Kind { kVarint, kFixed64, kBytes, kFixed32 };

  struct Field {
    uint32_t number = 0;
    Kind kind = Kind::kVarint;
    uint64_t value = 0;      // of kVarint, kFixed64 and kFixed32
    std::string_view bytes;  // of kBytes: a string or a message

    [[nodiscard]] float AsFloat() const {
      return std::bit_cast<float>(static_cast<uint32_t>(value));
    }
  };

  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  // The next field; nothing at the end, or where the rest is malformed.
  [[nodiscard]] std::optional<Field> Next();

  // Whether Next() came upon something malformed.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::optional<uint64_t> TakeVarint();
  std::optional<uint64_t> TakeFixed(size_t size);
  std::optional<std::string_view> TakeBytes();
  bool TakeValue(uint64_t wire_type, Field& field);

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_PROTOBUF_READER_H_
