// Tested by file_form_test.cc.
#include "loader/file_form.h"

#include <array>
#include <system_error>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "loader/file_contents.h"
#include "loader/tiktoken_parser.h"

namespace triptych::loader {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kNames = {"tokenizer.json", "tekken.json",
                                                    "tokenizer.model"};

// `pieces`, field 1 of a ModelProto: the only thing that a model can begin with.
constexpr char kPieceTag = 0x0A;

}  // namespace

std::optional<FileForm> FormOf(std::string_view contents) {
  const size_t first = contents.find_first_not_of(" \t\r\n");
  // kPieceTag is a line feed: a model whose first piece has 123 bytes is not JSON for that.
  if (first == 0 && contents[0] == '{') return FileForm::kJson;
  if (IsTiktoken(contents)) return FileForm::kTiktoken;
  if (contents.starts_with(kPieceTag) && contents.find('\0') != std::string_view::npos) {
    return FileForm::kSentencePiece;
  }
  if (first != std::string_view::npos && contents[first] == '{') return FileForm::kJson;
  return std::nullopt;
}

absl::StatusOr<fs::path> FindTokenizerIn(const fs::path& directory) {
  for (const std::string_view name : kNames) {
    if (Exists(directory / name)) return directory / name;
  }
  std::error_code error;
  std::optional<fs::path> found;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".tiktoken") continue;
    if (found.has_value()) {
      return absl::InvalidArgumentError(
          base::StrCat(directory.string(), ": has several .tiktoken files; name the one to read"));
    }
    found = entry->path();
  }
  if (found.has_value()) return *found;
  return absl::NotFoundError(
      base::StrCat(directory.string(),
                   ": has none of tokenizer.json, tekken.json, tokenizer.model, *.tiktoken"));
}

}  // namespace triptych::loader
