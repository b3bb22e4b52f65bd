// Sequence: `"type": "Sequence"`, decoders one after the other.
#ifndef SIDECAR_DECODERS_SEQUENCE_H_
#define SIDECAR_DECODERS_SEQUENCE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "decoders/decoder.h"

namespace triptych::decoders {

// All decoders of a tokenizer.json; a single one is a Sequence too. Immutable.
class Sequence {
 public:
  Sequence() = default;  // joins the tokens
  explicit Sequence(std::vector<std::unique_ptr<const Decoder>> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] const std::vector<std::unique_ptr<const Decoder>>& steps() const { return steps_; }

 private:
  std::vector<std::unique_ptr<const Decoder>> steps_;
};

// One text on its way through some steps of a Sequence, which must outlive it. It can be moved. Not
// thread-safe.
class Pipeline {
 public:
  // The steps from `begin` to, but without, `end`.
  Pipeline(const Sequence& sequence, size_t begin, size_t end);

  // As for TokenSink. Each token that comes out is appended to `out`.
  [[nodiscard]] absl::Status Append(std::string_view piece, bool ends_token, std::string& out);
  [[nodiscard]] absl::Status Finish(std::string& out);
  [[nodiscard]] bool is_transparent() const;

 private:
  // The end: joins the tokens.
  struct TextSink final : TokenSink {
    absl::Status Append(std::string_view piece, bool ends_token) override;
    absl::Status Finish() override { return absl::OkStatus(); }

    std::string* out = nullptr;
  };

  std::unique_ptr<TextSink> text_;
  std::vector<std::unique_ptr<TokenSink>> sinks_;  // the last step first
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_SEQUENCE_H_
