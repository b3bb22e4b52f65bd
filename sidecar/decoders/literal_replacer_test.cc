#include "decoders/literal_replacer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "decoders/space_cleanup.h"

namespace triptych::decoders {
namespace {

// All strings of at most `size` letters a or b.
std::vector<std::string> AllStrings(size_t size) {
  std::vector<std::string> strings = {""};
  for (size_t i = 0; i < strings.size(); ++i) {
    if (strings[i].size() == size) continue;
    strings.push_back(strings[i] + "a");
    strings.push_back(strings[i] + "b");
  }
  return strings;
}

TEST(ReplaceAll, IsThatOfRust) {
  EXPECT_EQ(ReplaceAll("aaa", "aa", "b"), "ba");
  EXPECT_EQ(ReplaceAll("aé", "", "-"), "-a-é-");
  EXPECT_EQ(ReplaceAll("", "", "-"), "-");
  EXPECT_EQ(ReplaceAll("", "a", "-"), "");
}

TEST(LiteralReplacer, GivesTheSameHoweverTheTextIsCut) {
  for (const std::string& from : AllStrings(4)) {
    if (from.empty()) continue;
    for (const std::string& text : AllStrings(7)) {
      for (size_t cut = 0; cut <= text.size(); ++cut) {
        LiteralReplacer replacer(from, "a-");
        std::string out;
        replacer.Append(text.substr(0, cut), out);
        EXPECT_TRUE(ReplaceAll(text, from, "a-").starts_with(out));
        for (const char c : text.substr(cut)) replacer.Append(std::string(1, c), out);
        replacer.Flush(out);
        EXPECT_EQ(out, ReplaceAll(text, from, "a-")) << from << " in " << text << " at " << cut;
      }
    }
  }
}

TEST(SpaceCleanup, TakesOutSpacesInTheOrderOfTheList) {
  const auto clean = [](SpaceCleanup cleanup, const std::string& text) {
    std::string out;
    for (const char c : text) cleanup.Append(std::string(1, c), out);
    cleanup.Flush(out);
    return out;
  };
  EXPECT_EQ(clean(SpaceCleanup::OfTransformers(), "I do n't , no . It 's a ' b ' c ?! ?"),
            "I don't, no. It's a'b'c?!?");
  EXPECT_EQ(clean(SpaceCleanup::OfTransformers(), "we do not"), "we do not");
  EXPECT_EQ(clean(SpaceCleanup::OfTokenizers(), "we do not"), "we don't");
  EXPECT_EQ(clean(SpaceCleanup::OfTokenizers(), "a  . '"), "a . '");
}

}  // namespace
}  // namespace triptych::decoders
