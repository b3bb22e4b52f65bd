#include "loader/file_contents.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/str_cat.h"

namespace triptych::loader {
namespace {

class FileContentsTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static std::string ErrorOf(const std::filesystem::path& path, size_t max_bytes = kMaxFileBytes) {
    const auto contents = ReadFile(path, max_bytes);
    if (contents.ok()) return "ok";
    return std::string(base::MessageOf(contents.status())).substr(path.string().size());
  }

  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / base::StrCat("file_contents_", getpid());
};

TEST_F(FileContentsTest, ReadsAFileAndALinkToIt) {
  const std::string text("a\0b", 3);
  std::ofstream(directory_ / "file", std::ios::binary) << text;
  std::filesystem::create_symlink("file", directory_ / "link");
  EXPECT_EQ(ReadFile(directory_ / "file").value(), text);
  EXPECT_EQ(ReadFile(directory_ / "link").value(), text);
  EXPECT_EQ(ErrorOf(directory_ / "file", 2), ": has 3 bytes, more than the allowed 2");
}

TEST_F(FileContentsTest, RefusesWhatIsNoRegularFileAndNeverWaits) {
  ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("loop", directory_ / "loop");
  EXPECT_EQ(ErrorOf(directory_ / "pipe"), ": is not a regular file");
  EXPECT_EQ(ErrorOf("/dev/zero"), ": is not a regular file");
  EXPECT_EQ(ErrorOf(directory_), ": is not a regular file");
  EXPECT_EQ(ErrorOf(directory_ / "none"), ": there is no such file");
  EXPECT_EQ(ErrorOf(directory_ / "loop"), ": Too many levels of symbolic links");
}

TEST_F(FileContentsTest, AHugeFileIsRefusedBeforeItIsRead) {
  std::ofstream(directory_ / "huge").close();
  std::filesystem::resize_file(directory_ / "huge", uintmax_t{1} << 30);  // sparse
  EXPECT_EQ(ErrorOf(directory_ / "huge"),
            ": has 1073741824 bytes, more than the allowed 536870912");
}

}  // namespace
}  // namespace triptych::loader
