#include "unicode/graphemes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace triptych::unicode {
namespace {

std::vector<std::string> Cut(const std::string& text) {
  const Graphemes graphemes;
  std::vector<std::string> pieces;
  for (size_t at = 0; at < text.size();) {
    const size_t end = graphemes.EndOf(text, at);
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

TEST(Graphemes, FollowTheRules) {
  using Pieces = std::vector<std::string>;
  EXPECT_EQ(Cut("ab"), (Pieces{"a", "b"}));
  EXPECT_EQ(Cut("\r\n\n\r"), (Pieces{"\r\n", "\n", "\r"}));
  EXPECT_EQ(Cut("e\u0301\u0323x"), (Pieces{"e\u0301\u0323", "x"}));
  EXPECT_EQ(Cut("\n\u0301"), (Pieces{"\n", "\u0301"}));
  EXPECT_EQ(Cut("\u1100\u1161\u11A8\u1100"), (Pieces{"\u1100\u1161\u11A8", "\u1100"}));
  EXPECT_EQ(Cut("가\u11A8각\u1161"), (Pieces{"가\u11A8", "각", "\u1161"}));
  EXPECT_EQ(Cut("👨\u200D👩\u200D👧a"), (Pieces{"👨\u200D👩\u200D👧", "a"}));
  EXPECT_EQ(Cut("a\u200D👩"), (Pieces{"a\u200D", "👩"}));
  EXPECT_EQ(Cut("क\u094Dष"), (Pieces{"क\u094Dष"}));
  EXPECT_EQ(Cut("\u06001"), (Pieces{"\u06001"}));
}

}  // namespace
}  // namespace triptych::unicode
