// What the flags do to the process is tested by tests/unit/tokenizer/test_sidecar_process.py.
#include "server/options.h"

#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"

namespace triptych::server {
namespace {

TEST(Options, BothWaysToWriteAFlag) {
  const auto spaced =
      ParseOptions({"--tokenizer", "t.json", "--listen", "unix:/s", "--parent-death", "7"});
  const auto joined = ParseOptions({"--tokenizer=t.json", "--listen=unix:/s", "--parent-death=7"});
  for (const auto& options : {spaced, joined}) {
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options->model_path, "t.json");
    EXPECT_EQ(options->listen_address, "unix:/s");
    EXPECT_EQ(options->parent_pid, 7);
  }
}

TEST(Options, TheLocalSocketIsAskedFor) {
  const auto without = ParseOptions({"--model=t", "--listen=unix:/s"});
  const auto with = ParseOptions({"--model=t", "--listen=unix:/s", "--local-socket", "/local"});
  ASSERT_TRUE(without.ok());
  ASSERT_TRUE(with.ok());
  EXPECT_EQ(without->local_socket, "");
  EXPECT_EQ(with->local_socket, "/local");
}

TEST(Options, LimitsAndTheirDefaults) {
  const auto defaults = ParseOptions({"--model=t", "--listen=unix:/s"});
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(defaults->limits.max_batch, 4096);
  EXPECT_EQ(defaults->limits.threads, 0);
  const auto given =
      ParseOptions({"--model=t", "--listen=[::1]:0", "--max-text-bytes=1", "--max-batch=2",
                    "--max-message-bytes=3", "--max-streams=4", "--max-calls=5", "--threads=6"});
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->limits.max_text_bytes, 1);
  EXPECT_EQ(given->limits.max_batch, 2);
  EXPECT_EQ(given->limits.max_message_bytes, 3);
  EXPECT_EQ(given->limits.max_streams, 4);
  EXPECT_EQ(given->limits.max_calls, 5);
  EXPECT_EQ(given->limits.threads, 6);
}

TEST(Options, TheSeriesThatIsFollowed) {
  using unicode::TableVersion;
  const auto series = [](const std::string& value) {
    return ParseOptions({"--model=t", "--listen=unix:/s", "--tokenizers-series=" + value});
  };
  EXPECT_EQ(Options().load.tables, TableVersion::kTokenizers023);
  EXPECT_EQ(series("0.23")->load.tables, TableVersion::kTokenizers023);
  EXPECT_EQ(series("1.0")->load.tables, TableVersion::kTokenizers10);
  EXPECT_FALSE(series("0.22").ok());
}

TEST(Options, TheDefaultsInTheHelpAreTheDefaults) {
  const std::string usage(kUsage);
  for (const int value : {Limits().max_text_bytes, Limits().max_batch, Limits().max_message_bytes,
                          Limits().max_streams, Limits().max_calls}) {
    EXPECT_NE(usage.find(base::StrCat("(", value, ")")), std::string::npos) << value;
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
  for (const char* address : {"h", "h:", ":1", "h:65536", "h:-1", "h:x"}) {
    EXPECT_FALSE(ParseOptions({"--tokenizer=t", std::string("--listen=") + address}).ok());
  }
  EXPECT_FALSE(ParseOptions({"--tokenizer=t", "--listen=unix:/s", "--max-batch=0"}).ok());
  for (const std::string& path : {std::string(), std::string("/s"), std::string(108, 'x')}) {
    EXPECT_FALSE(ParseOptions({"--model=t", "--listen=unix:/s", "--local-socket=" + path}).ok());
  }
  EXPECT_FALSE(ParseOptions({"extra"}).ok());
}

}  // namespace
}  // namespace triptych::server
