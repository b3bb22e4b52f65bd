#include "models/vocabulary.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

TEST(Vocabulary, FindsTokensAndIds) {
  const Vocabulary vocabulary = *Vocabulary::Create({{"a", 0}, {"", 7}, {"ab", 3}});
  EXPECT_EQ(vocabulary.IdOf("a"), 0u);
  EXPECT_EQ(vocabulary.IdOf(""), 7u);
  EXPECT_EQ(vocabulary.IdOf("ab"), 3u);
  EXPECT_EQ(vocabulary.IdOf("b"), std::nullopt);
  EXPECT_EQ(vocabulary.TokenOf(3), "ab");
  EXPECT_EQ(vocabulary.TokenOf(7), "");
  EXPECT_EQ(vocabulary.TokenOf(1), std::nullopt);
  EXPECT_EQ(vocabulary.TokenOf(8), std::nullopt);
  EXPECT_EQ(vocabulary.size(), 3u);
  EXPECT_EQ(vocabulary.id_limit(), 8u);
}

TEST(Vocabulary, MayBeEmpty) {
  const Vocabulary vocabulary = *Vocabulary::Create({});
  EXPECT_EQ(vocabulary.IdOf("a"), std::nullopt);
  EXPECT_EQ(vocabulary.TokenOf(0), std::nullopt);
  EXPECT_EQ(vocabulary.id_limit(), 0u);
}

TEST(Vocabulary, TheLastIdOfATokenCounts) {
  const Vocabulary vocabulary = *Vocabulary::Create({{"a", 5}, {"b", 0}, {"a", 0}, {"a", 1}});
  EXPECT_EQ(vocabulary.IdOf("a"), 1u);
  EXPECT_EQ(vocabulary.IdOf("b"), 0u);
  EXPECT_EQ(vocabulary.TokenOf(5), std::nullopt);
  EXPECT_EQ(vocabulary.size(), 2u);
}

TEST(Vocabulary, RefusesTwoTokensWithOneIdAndHighIds) {
  const auto twins = Vocabulary::Create({{"a", 1}, {"b", 1}});
  EXPECT_EQ(base::MessageOf(twins.status()), "\"a\" and \"b\" have the same id, 1");
  EXPECT_FALSE(Vocabulary::Create({{"a", Vocabulary::kMaxId + 1}}).ok());
}

TEST(Vocabulary, AMessageShowsATokenThatIsNoText) {
  const auto twins = Vocabulary::Create({{"\xA5", 1}, {std::string(1'000, 'x'), 1}});
  EXPECT_FALSE(unicode::FindInvalidUtf8(base::MessageOf(twins.status())).has_value());
  EXPECT_LT(twins.status().message().size(), 200u);
}

TEST(Vocabulary, FindsEachOfManyTokensAfterAMove) {
  VocabularyBuilder builder;
  constexpr uint32_t kTokens = 100'000;
  for (uint32_t id = 0; id < kTokens; ++id) {
    ASSERT_TRUE(builder.Add(base::StrCat("t", id * 7), id).ok());
  }
  Vocabulary built = *builder.Build();
  const Vocabulary vocabulary = std::move(built);
  for (uint32_t id = 0; id < kTokens; ++id) {
    const std::string token = base::StrCat("t", id * 7);
    ASSERT_EQ(vocabulary.IdOf(token), id);
    ASSERT_EQ(vocabulary.TokenOf(id), token);
    ASSERT_EQ(vocabulary.IdOf(base::StrCat("u", id)), std::nullopt);
  }
}

TEST(Vocabulary, TheHighestIdIsFound) {
  const Vocabulary vocabulary = *Vocabulary::Create({{"a", Vocabulary::kMaxId}});
  EXPECT_EQ(vocabulary.IdOf("a"), Vocabulary::kMaxId);
  EXPECT_EQ(vocabulary.IdOf("b"), std::nullopt);
}

}  // namespace
}  // namespace triptych::models
