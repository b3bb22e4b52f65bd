#include "loader/file_form.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/str_cat.h"

namespace triptych::loader {
namespace {

TEST(FileForm, IsToldByTheContents) {
  EXPECT_EQ(FormOf("{}"), FileForm::kJson);
  EXPECT_EQ(FormOf("\n {"), FileForm::kJson);
  EXPECT_EQ(FormOf("IQ== 0\nIg== 1\n"), FileForm::kTiktoken);
  EXPECT_EQ(FormOf(std::string("\n\x0E\n\x05<unk>\x15\0\0\0\0\x18\x02", 16)),
            FileForm::kSentencePiece);
  EXPECT_EQ(FormOf(std::string("\n{\n\x05<unk>\x15\0\0\0\0\x18\x02", 16)),
            FileForm::kSentencePiece);
  for (const char* text :
       {"", "\n", "hello", "IQ==\n", "hello world\n", "version https://git-lfs\n"}) {
    EXPECT_EQ(FormOf(text), std::nullopt) << text;
  }
}

class FindTokenizerTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Add(const std::string& name) { std::ofstream(directory_ / name).close(); }

  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / base::StrCat("find_tokenizer_", getpid());
};

TEST_F(FindTokenizerTest, HasAnOrder) {
  EXPECT_EQ(FindTokenizerIn(directory_).status().code(), absl::StatusCode::kNotFound);
  for (const char* name : {"b.tiktoken", "tokenizer.model", "tekken.json", "tokenizer.json"}) {
    Add(name);
    EXPECT_EQ(FindTokenizerIn(directory_).value(), directory_ / name);
  }
}

TEST_F(FindTokenizerTest, DoesNotChooseBetweenTwo) {
  Add("a.tiktoken");
  Add("b.tiktoken");
  EXPECT_EQ(FindTokenizerIn(directory_).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace triptych::loader
