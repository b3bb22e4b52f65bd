// What the flags do to the process is tested by tests/unit/tokenizer/test_sidecar_process.py.
#include "server/options.h"

#include <gtest/gtest.h>

namespace triptych::server {
namespace {

TEST(Options, BothWaysToWriteAFlag) {
  const auto spaced =
      ParseOptions({"--tokenizer", "t.json", "--listen", "unix:/s", "--parent-death", "7"});
  const auto joined = ParseOptions({"--tokenizer=t.json", "--listen=unix:/s", "--parent-death=7"});
  for (const auto& options : {spaced, joined}) {
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options->tokenizer_path, "t.json");
    EXPECT_EQ(options->listen_address, "unix:/s");
    EXPECT_EQ(options->parent_pid, 7);
  }
}

TEST(Options, HelpNeedsNothingElse) {
  EXPECT_EQ(ParseOptions({"--help"})->action, Options::Action::kPrintHelp);
  EXPECT_EQ(ParseOptions({"--version"})->action, Options::Action::kPrintVersion);
}

TEST(Options, MistakesAreErrors) {
  EXPECT_FALSE(ParseOptions({}).ok());
  EXPECT_FALSE(ParseOptions({"--tokenizer=t"}).ok());
  EXPECT_FALSE(ParseOptions({"--tokenizer=t", "--listen=unix:"}).ok());
  EXPECT_FALSE(ParseOptions({"--tokenizer=t", "--listen=unix:/s", "--parent-death=0"}).ok());
  EXPECT_FALSE(ParseOptions({"extra"}).ok());
}

}  // namespace
}  // namespace triptych::server
