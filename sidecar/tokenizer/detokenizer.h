// Detokenizer: token ids back to text.
//
// Nearly all decoders of real files are simple at heart: whatever they do to a token, they do it to
// each token alike. So the first steps of the Sequence run once over the whole vocabulary, when the
// file is loaded, and decoding is then mostly copying. What can follow such steps:
//
//     ByteLevel      the bytes of a token go into the table too; left is to mend broken UTF-8
//     ByteFallback   the byte of a byte token goes into the table; left is to collect runs of bytes
//     other steps    run as they are (decoders/sequence.h), until all they do is pass text on: the
//                    Strip of Llama-2 is done as soon as the text has begun
//
// The table has a slot of 16 bytes for each id. Most tokens fit: 15 bytes of text and its size.
// They are copied as 16 bytes, and the next token overwrites what was too much, without a branch on
// the size. The others lie in an arena. Text is never scanned: which tokens are valid UTF-8 by
// themselves is found out at load, and between such tokens nothing can be broken.
//
// Tested by detokenizer_test.cc, tests/unit/tokenizer/test_decoders.py.
#ifndef SIDECAR_TOKENIZER_DETOKENIZER_H_
#define SIDECAR_TOKENIZER_DETOKENIZER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "decoders/sequence.h"
#include "unicode/utf8.h"

namespace triptych::tokenizer {

struct DecodeOptions {
  bool skip_special_tokens = false;
  // Take out the spaces before punctuation and in "do n't", as clean_up_tokenization of
  // `transformers` does.
  bool clean_up_spaces = false;
};

// Thread-safe.
class Detokenizer {
 public:
  // A token of the vocabulary, as tokenizer.json writes it.
  struct Token {
    uint32_t id;
    std::string_view content;
    bool is_special;
  };

  // `tokens` in any order; of two with one id the later counts. INVALID_ARGUMENT where the text of
  // all tokens is larger than 4 GiB; RESOURCE_EXHAUSTED where a pattern takes too long for a token.
  [[nodiscard]] static absl::StatusOr<Detokenizer> Create(const std::vector<Token>& tokens,
                                                          decoders::Sequence decoder);

  // The text of `ids`. INVALID_ARGUMENT ("token_ids[4]: ...") where an id is not a token;
  // RESOURCE_EXHAUSTED where a pattern takes too long for the text.
  [[nodiscard]] absl::StatusOr<std::string> Decode(std::span<const uint32_t> ids,
                                                   const DecodeOptions& options) const;

  // Whether all `ids` are tokens: OK, or INVALID_ARGUMENT as for Decode.
  [[nodiscard]] absl::Status Check(std::span<const uint32_t> ids) const;

  // Whether `id` is a token, and one that is not skipped.
  [[nodiscard]] bool HasText(uint32_t id, bool skip_special_tokens) const {
    if (id >= slots_.size()) return false;
    const uint8_t tag = slots_[id].tag;
    if (tag <= Slot::kMaxPlainSize) return true;
    return tag != (Slot::kInArena | Slot::kUnknown) &&
           !(skip_special_tokens && (tag & Slot::kSpecial) != 0);
  }

  // Whether `id` is a byte token, and its byte is in a character but not its first.
  [[nodiscard]] bool ContinuesCharacter(uint32_t id) const;

  // Whether a text is its tokens' texts joined, where each depends on nothing but whether it is the
  // first, and broken UTF-8 then mended.
  [[nodiscard]] bool only_joins() const {
    return mode_ != Mode::kByteFallback && tail_begin_ >= tail_end_;
  }

  // Whether a text that is this token alone has an end to which the text of any plain token is just
  // appended: it is not empty, nothing of it is held back, and it is no half character. Found out
  // when it is asked for first. REQUIRES: `id` is a token, and not only_joins().
  [[nodiscard]] bool IsSettled(uint32_t id) const;

  // The text of a plain token; nothing for any other.
  [[nodiscard]] std::optional<std::string_view> PlainTextOf(uint32_t id) const {
    const Slot& slot = slots_[id];
    if (slot.tag > Slot::kMaxPlainSize) return std::nullopt;
    return std::string_view(slot.bytes.data(), slot.tag);
  }

  // The number of tokens.
  [[nodiscard]] size_t vocab_size() const { return vocab_size_; }
  // One more than the highest id.
  [[nodiscard]] size_t id_limit() const { return slots_.size(); }

  // One text on its way. It can be moved. Not thread-safe.
  class Stream {
   public:
    // `detokenizer` must outlive this object.
    Stream(const Detokenizer& detokenizer, bool skip_special_tokens);

    // Appends to `out` all text that is certain after `ids`. RESOURCE_EXHAUSTED as for Decode: then
    // this object may only be destroyed. REQUIRES: Check(ids) is OK.
    [[nodiscard]] absl::Status Append(std::span<const uint32_t> ids, std::string& out);

    // Whether the text of a plain token would be appended and nothing else.
    [[nodiscard]] bool is_plain() const { return is_plain_; }

    // Whether what is held back are the first bytes of a character.
    [[nodiscard]] bool is_in_character() const { return !repairer_.is_empty(); }

    // Appends to `out` what is held back. Afterwards only the destructor may be called.
    [[nodiscard]] absl::Status Finish(std::string& out);

   private:
    absl::Status AppendOne(uint32_t id, std::string& out);
    absl::Status EndRun(std::string& out);
    absl::Status Emit(std::string_view text, bool ends_token, std::string& out);
    void FindOutWhetherPlain();

    const Detokenizer* detokenizer_;
    bool skip_special_tokens_;
    bool is_first_;          // no token yet, and the first is treated differently
    bool is_plain_ = false;  // a plain token would be copied and nothing else
    std::string run_;        // bytes of byte tokens, held back
    unicode::Utf8Repairer repairer_;
    std::optional<decoders::Pipeline> tail_;  // nothing: text passes
  };

 private:
  // What an id stands for. A plain token has its size as tag, and `bytes` begins with its text. For
  // the others the tag is a set of flags, and `bytes` begins with a range of the arena.
  struct Slot {
    static constexpr size_t kMaxPlainSize = 15;
    static constexpr uint8_t kInArena = 0x10;  // with any other flag
    static constexpr uint8_t kUnknown = 0x20;  // not a token
    static constexpr uint8_t kSpecial = 0x40;  // may be skipped
    static constexpr uint8_t kByte = 0x80;     // a byte token of ByteFallback
    static constexpr uint8_t kPartial = 0x01;  // not valid UTF-8 by itself

    std::array<char, kMaxPlainSize> bytes{};
    uint8_t tag = kInArena | kUnknown;
  };
  static_assert(sizeof(Slot) == 16);

  struct ArenaRange {
    uint32_t begin;
    uint32_t size;
  };

  // What is left to do with the text of the table.
  enum class Mode { kText, kByteLevel, kByteFallback };

  explicit Detokenizer(decoders::Sequence decoder);

  absl::Status Fill(const std::vector<Token>& tokens);
  absl::Status FillSlot(const Token& token, std::string text);
  absl::StatusOr<ArenaRange> Store(std::string_view text);
  // The leading tokens of `ids` that are plain are appended to `out`; their number.
  size_t CopyPlain(std::span<const uint32_t> ids, std::string& out) const;
  // Views of the arena and of slots.
  [[nodiscard]] std::string_view TextOf(uint32_t id) const;
  // The text of `id` where it is the first token.
  [[nodiscard]] absl::StatusOr<std::string> FirstTextOf(uint32_t id) const;

  decoders::Sequence decoder_;
  size_t folded_ = 0;      // how many steps the table has done
  size_t tail_begin_ = 0;  // the first step behind the table and the mode
  size_t tail_end_ = 0;
  Mode mode_ = Mode::kText;
  bool first_differs_ = false;
  std::vector<Slot> slots_;  // by id
  std::string arena_;
  // By id: what IsSettled found out.
  enum class Settled : uint8_t { kUnknown, kYes, kNo };
  std::unique_ptr<std::atomic<Settled>[]> settled_;
  std::vector<ArenaRange> contents_;  // by id, where first_differs_: tokens as the file writes them
  size_t vocab_size_ = 0;
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_DETOKENIZER_H_
