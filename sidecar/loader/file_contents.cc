// System calls and not std::ifstream: a stream opens a pipe and waits for its writer, and a check
// of the path beforehand is a check of what may be another file by then.
//
// Tested by file_contents_test.cc.
#include "loader/file_contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "base/str_cat.h"

namespace triptych::loader {
namespace {

// Room behind the contents, so that a parser that reads a little past the end needs no copy.
constexpr size_t kPadding = 64;

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::filesystem::path& path)
      : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~FileDescriptor() {
    if (number_ >= 0) close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

absl::Status CannotRead(const std::filesystem::path& path, int error) {
  const std::string_view why =
      error == ENOENT ? "there is no such file" : std::string_view(std::strerror(error));
  return absl::NotFoundError(base::StrCat(path.string(), ": ", why));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes) {
  const FileDescriptor file(path);
  struct stat info{};
  if (file.number() < 0 || fstat(file.number(), &info) != 0) return CannotRead(path, errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(base::StrCat(path.string(), ": is not a regular file"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size > max_bytes) {
    return absl::InvalidArgumentError(
        base::StrCat(path.string(), ": has ", size, " bytes, more than the allowed ", max_bytes));
  }
  std::string contents;
  contents.reserve(size + kPadding);
  contents.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t count = read(file.number(), contents.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(path, errno);
    if (count == 0) break;  // it was cut short since fstat
    done += static_cast<size_t>(count);
  }
  contents.resize(done);
  return contents;
}

bool Exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace triptych::loader
