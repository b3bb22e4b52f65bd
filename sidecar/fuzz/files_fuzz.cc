// The other forms of a tokenizer's files: any bytes as tokenizer.model, as a .tiktoken with
// tiktoken.json beside it, or as tekken.json, in a directory that is loaded as a model's is.
//
// Input: a letter for the main file (m, t, k); the size of the file beside it, in two bytes; that
// file; the main file.
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/str_cat.h"
#include "fuzz/byte_source.h"
#include "fuzz/require.h"
#include "loader/tokenizer_loader.h"
#include "tokenizer/tokenizer.h"
#include "unicode/utf8.h"

namespace triptych::fuzz {
namespace {

namespace fs = std::filesystem;

// A directory of this process, removed with it.
class ModelDirectory {
 public:
  ModelDirectory() {
    std::string pattern = (fs::temp_directory_path() / "files_fuzz_XXXXXX").string();
    Require(::mkdtemp(pattern.data()) != nullptr, "there is room for temporary files");
    path_ = pattern;
  }
  ~ModelDirectory() { fs::remove_all(path_); }

  void Empty() const {
    for (const auto& entry : fs::directory_iterator(path_)) fs::remove(entry);
  }

  void Write(std::string_view name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

void Use(const tokenizer::Tokenizer& tokenizer) {
  constexpr std::string_view kText = " the\u2581caf\u00e9 ab<s>\u4f60\U0001F600 12\n\n x<|end|>";
  const absl::StatusOr<base::Encoding> encoding =
      tokenizer.Encode({.text = kText, .add_special_tokens = true});
  if (!encoding.ok()) return;
  const absl::StatusOr<std::string> decoded = tokenizer.Decode(encoding->ids, {});
  Require(decoded.ok(), "what was encoded can be decoded");
  Require(!unicode::FindInvalidUtf8(*decoded).has_value(), "decoded text is UTF-8");
}

void Run(ByteSource source) {
  static const ModelDirectory directory;
  directory.Empty();
  const uint8_t letter = source.TakeByte();
  const std::string_view beside = source.TakeText(source.TakeNumber());
  const std::string_view main = source.TakeRest();
  if (letter == 't') {
    if (!beside.empty()) directory.Write("tiktoken.json", beside);
    directory.Write("vocab.tiktoken", main);
  } else {
    if (!beside.empty()) directory.Write("tokenizer_config.json", beside);
    directory.Write(letter == 'k' ? "tekken.json" : "tokenizer.model", main);
  }
  const absl::StatusOr<tokenizer::Tokenizer> tokenizer = loader::LoadTokenizer(directory.path());
  if (tokenizer.ok()) return Use(*tokenizer);
  const std::string_view message = base::MessageOf(tokenizer.status());
  Require(message.starts_with(directory.path()), "a failure tells the file");
  Require(!unicode::FindInvalidUtf8(message).has_value(), message);
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
