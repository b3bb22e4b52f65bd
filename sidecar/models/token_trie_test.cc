#include "models/token_trie.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace triptych::models {
namespace {

using Found = std::vector<std::pair<size_t, uint32_t>>;

// REQUIRES: the tokens outlive the trie.
TokenTrie TrieOf(const std::vector<std::string>& tokens) {
  std::vector<TokenTrie::Entry> entries;
  for (uint32_t id = 0; id < tokens.size(); ++id) entries.push_back({tokens[id], id});
  return TokenTrie(std::move(entries));
}

Found PrefixesOf(const TokenTrie& trie, std::string_view text) {
  Found found;
  trie.ForEachPrefix(text, [&](size_t size, uint32_t id) { found.emplace_back(size, id); });
  return found;
}

TEST(TokenTrie, FindsEveryTokenThatATextBeginsWith) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const auto any_text = [&](size_t longest) {
      std::string text(random() % longest, ' ');
      for (char& c : text) c = "ab\xFF\0"[random() % 4];
      return text;
    };
    std::set<std::string> unique;
    for (size_t n = random() % 40; n > 0; --n) unique.insert(any_text(8));
    const std::vector<std::string> tokens(unique.begin(), unique.end());
    const TokenTrie trie = TrieOf(tokens);
    EXPECT_LE(trie.node_count(), 2 * tokens.size() + 1);
    for (int i = 0; i < 50; ++i) {
      const std::string text = any_text(12);
      Found expected;  // sorted tokens are the shortest first
      for (uint32_t id = 0; id < tokens.size(); ++id) {
        if (!tokens[id].empty() && text.starts_with(tokens[id])) {
          expected.emplace_back(tokens[id].size(), id);
        }
      }
      ASSERT_EQ(PrefixesOf(trie, text), expected) << text;
    }
  }
}

TEST(TokenTrie, IsSmallForLongTokens) {
  const std::string run(1'000'000, 'a');
  const std::vector<std::string> tokens = {run, run + "b", run + "c"};
  const TokenTrie trie = TrieOf(tokens);
  EXPECT_EQ(trie.node_count(), 4u);
  EXPECT_EQ(PrefixesOf(trie, run + "cd"), (Found{{run.size(), 0}, {run.size() + 1, 2}}));
}

TEST(TokenTrie, OfNothing) { EXPECT_EQ(PrefixesOf(TrieOf({}), "a"), Found()); }

}  // namespace
}  // namespace triptych::models
