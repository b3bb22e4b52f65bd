// The loader: any bytes as a tokenizer.json. What can be loaded then encodes and decodes a few
// texts, so that a file which loads but cannot be used is found too.
//
// libFuzzer changes a file as JSON three times of four (see json_mutator.h), else as bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/str_cat.h"
#include "fuzz/require.h"
#include "loader/tokenizer_loader.h"
#include "tokenizer/tokenizer.h"
#include "unicode/utf8.h"

namespace triptych::fuzz {
namespace {

// Texts in which short vocabularies and patterns, such as the seeds have, find something.
constexpr std::string_view kTexts[] = {
    "",
    "ab a<e>b  the\u2581caf\u00e9 e\u0301\n",
    " <s>A'b 12\u4f60\U0001F600\u3000<e> ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
};

void Use(const tokenizer::Tokenizer& tokenizer) {
  for (const std::string_view text : kTexts) {
    tokenizer::EncodeInput input{.text = text, .add_special_tokens = true, .include_ranges = true};
    const absl::StatusOr<base::Encoding> encoding = tokenizer.Encode(input);
    input.include_ranges = false;
    const absl::StatusOr<base::Encoding> alone = tokenizer.Encode(input);
    Require(alone.ok() == encoding.ok(), "ids alone fail where ids with ranges fail");
    if (!encoding.ok()) continue;
    Require(alone->ids == encoding->ids, "ids alone are the ids with ranges");
    for (const base::ByteRange range : encoding->ranges) {
      Require(range.begin <= range.end && range.end <= text.size(), "a range lies in the text");
    }
    // A template may name ids that no token has; tokenizers allows it.
    const absl::StatusOr<std::string> decoded =
        tokenizer.Decode(encoding->ids, {.skip_special_tokens = true});
    Require(!decoded.ok() || !unicode::FindInvalidUtf8(*decoded).has_value(), "text is UTF-8");
  }
}

void Run(std::string_view json) {
  const absl::StatusOr<tokenizer::Tokenizer> tokenizer = loader::ParseTokenizer(json);
  if (tokenizer.ok()) return Use(*tokenizer);
  const std::string_view message = base::MessageOf(tokenizer.status());
  Require(!message.empty() && !unicode::FindInvalidUtf8(message).has_value(),
          "a failure has a message that can be shown");
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
