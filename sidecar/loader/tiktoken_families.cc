// Tested by tests/unit/tokenizer/test_rank_files.py, against those packages.
#include "loader/tiktoken_families.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/str_cat.h"

namespace triptych::loader {
namespace {

// FNV-1a. Not one for secrets: who can put a file in place can put any file in place.
uint64_t HashOf(std::string_view contents) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : contents) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash;
}

// The special tokens, from `first_id` on.
class SpecialTokens {
 public:
  explicit SpecialTokens(uint32_t first_id) : next_id_(first_id) {}

  void Add(std::initializer_list<std::string_view> contents) {
    for (const std::string_view content : contents) {
      tokens_.push_back({next_id_++, std::string(content)});
    }
  }

  // `name`N|> for each N from `first` on, `count` of them.
  void AddNumbered(std::string_view name, int first, int count) {
    for (int i = first; i < first + count; ++i) Add({base::StrCat(name, i, "|>")});
  }

  [[nodiscard]] std::vector<SpecialToken> Take() { return std::move(tokens_); }

 private:
  uint32_t next_id_;
  std::vector<SpecialToken> tokens_;
};

RankFormat Llama3() {
  SpecialTokens special(128000);
  special.Add({"<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
               "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|step_id|>",
               "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>",
               "<|python_tag|>", "<|image|>"});
  special.AddNumbered("<|reserved_special_token_", 2, 244);
  RankFormat format;
  format.pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                   R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  format.special_tokens = special.Take();
  format.bos = "<|begin_of_text|>";
  return format;
}

RankFormat Llama4() {
  SpecialTokens special(200000);
  special.Add({"<|begin_of_text|>", "<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>",
               "<|fim_suffix|>", "<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>",
               "<|step|>"});
  special.AddNumbered("<|text_post_train_reserved_special_token_", 0, 6);
  special.Add({"<|python_start|>", "<|python_end|>", "<|finetune_right_pad|>"});
  special.AddNumbered("<|text_post_train_reserved_special_token_", 8, 61);
  special.Add({"<|image_start|>", "<|image_end|>"});
  special.AddNumbered("<|vision_reserved_special_token_", 0, 2);
  special.Add({"<|tile_x_separator|>", "<|tile_y_separator|>"});
  special.AddNumbered("<|vision_reserved_special_token_", 2, 4);
  special.Add({"<|image|>"});
  special.AddNumbered("<|vision_reserved_special_token_", 6, 1);
  special.Add({"<|patch|>"});
  special.AddNumbered("<|vision_reserved_special_token_", 7, 1041);
  special.AddNumbered("<|reasoning_reserved_special_token_", 0, 8);
  special.Add({"<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>"});
  special.AddNumbered("<|reserved_special_token_", 0, 2048 - 1144);
  RankFormat format;
  format.pattern = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                   R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
                   R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
                   R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
                   R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  format.special_tokens = special.Take();
  format.bos = "<|begin_of_text|>";
  return format;
}

RankFormat Qwen() {
  SpecialTokens special(151643);
  special.Add({"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  special.AddNumbered("<|extra_", 0, 205);
  RankFormat format;
  format.pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                   R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  format.special_tokens = special.Take();
  format.nfc = true;
  return format;
}

struct Family {
  size_t size_bytes;
  uint64_t hash;
  RankFormat (*format)();
};

constexpr Family kFamilies[] = {
    {2183982, 0x66BD6FE609B12BB5, Llama3},
    {3622230, 0xDD1E01F2DA1777EF, Llama4},
    {2561218, 0xB5E2C26F6B9EB5E6, Qwen},
};

}  // namespace

std::optional<RankFormat> KnownTiktokenFormat(std::string_view contents) {
  for (const Family& family : kFamilies) {
    if (contents.size() == family.size_bytes && HashOf(contents) == family.hash) {
      return family.format();
    }
  }
  return std::nullopt;
}

}  // namespace triptych::loader
