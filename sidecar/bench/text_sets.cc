#include "bench/text_sets.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "base/str_cat.h"

namespace triptych::bench {

absl::StatusOr<TextSets> ReadTextSets(const std::string& folder) {
  namespace fs = std::filesystem;
  std::map<fs::path, std::string> files;  // sorted, with their sets
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".txt") {
      files[it->path()] = it->path().parent_path().filename().string();
    }
  }
  TextSets sets;
  for (const auto& [path, name] : files) {
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    sets[name].size_bytes += text.size();
    sets[name].texts.push_back(std::move(text));
  }
  if (sets.empty()) return absl::NotFoundError(base::StrCat(folder, ": holds no NAME/*.txt"));
  return sets;
}

}  // namespace triptych::bench
