#include "unicode/prefix_trie.h"

#include <gtest/gtest.h>

#include <string>

namespace triptych::unicode {
namespace {

std::string Found(const PrefixTrie& trie, std::string_view text) {
  std::string found;
  trie.ForEachPrefix(text, [&](const PrefixTrie::Match& match) {
    found += std::to_string(match.size) + ":" + std::to_string(match.value) + " ";
  });
  return found;
}

TEST(PrefixTrie, FindsAllKeysThatATextBeginsWith) {
  const PrefixTrie trie({{"ab", 1}, {"a", 0}, {"abcd", 2}, {"b", 3}, {"\xFFz", 4}});
  EXPECT_EQ(Found(trie, "abcde"), "1:0 2:1 4:2 ");
  EXPECT_EQ(Found(trie, "abc"), "1:0 2:1 ");
  EXPECT_EQ(Found(trie, "b"), "1:3 ");
  EXPECT_EQ(Found(trie, "\xFFz"), "2:4 ");
  EXPECT_EQ(Found(trie, "c"), "");
  EXPECT_EQ(Found(trie, ""), "");
  EXPECT_EQ(trie.Longest("abcx")->size, 2u);
  EXPECT_FALSE(trie.Longest("x").has_value());
}

TEST(PrefixTrie, MayBeEmpty) {
  EXPECT_EQ(Found(PrefixTrie(), "a"), "");
  EXPECT_EQ(Found(PrefixTrie(std::vector<std::pair<std::string_view, uint32_t>>()), "a"), "");
}

}  // namespace
}  // namespace triptych::unicode
