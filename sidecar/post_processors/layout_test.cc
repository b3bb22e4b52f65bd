#include "post_processors/layout.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "post_processors/bert_processing.h"
#include "post_processors/sequence.h"
#include "post_processors/template_processing.h"

namespace triptych::post_processors {
namespace {

constexpr Piece kFirst = {Piece::Kind::kFirstText};
constexpr Piece kSecond = {Piece::Kind::kSecondText, 0, 1};

constexpr Piece Token(uint32_t id, uint32_t type_id = 0) {
  return {Piece::Kind::kToken, id, type_id};
}

TEST(Layouts, TextsStandOneAfterTheOther) {
  const Layouts layouts = Layouts::Create(nullptr).value();
  EXPECT_EQ(layouts.For(false, true), (Layout{kFirst}));
  EXPECT_EQ(layouts.For(true, true), (Layout{kFirst, kSecond}));
}

TEST(Layouts, OfBert) {
  const BertProcessing bert(BertProcessing::Style::kBert, 1, 2);
  const Layouts layouts = Layouts::Create(&bert).value();
  EXPECT_EQ(layouts.For(false, true), (Layout{Token(1), kFirst, Token(2)}));
  EXPECT_EQ(layouts.For(true, true), (Layout{Token(1), kFirst, Token(2), kSecond, Token(2, 1)}));
  EXPECT_EQ(layouts.For(true, false), (Layout{kFirst, kSecond}));
}

TEST(Layouts, OfRobertaHaveNoTypes) {
  const BertProcessing roberta(BertProcessing::Style::kRoberta, 1, 2);
  const Layouts layouts = Layouts::Create(&roberta).value();
  constexpr Piece kUntyped = {Piece::Kind::kSecondText};
  EXPECT_EQ(layouts.For(true, true),
            (Layout{Token(1), kFirst, Token(2), Token(2), kUntyped, Token(2)}));
  EXPECT_EQ(layouts.For(true, false), (Layout{kFirst, kUntyped}));
}

TEST(Layouts, ATemplateArrangesTextsEvenWithoutSpecialTokens) {
  const TemplateProcessing processing({{kFirst}, {Token(1), Token(2)}},
                                      {{kSecond}, {Token(3)}, {kFirst}, {kSecond}});
  const Layouts layouts = Layouts::Create(&processing).value();
  EXPECT_EQ(layouts.For(false, true), (Layout{kFirst, Token(1), Token(2)}));
  EXPECT_EQ(layouts.For(true, true), (Layout{kSecond, Token(3), kFirst, kSecond}));
  EXPECT_EQ(layouts.For(true, false), (Layout{kSecond, kFirst, kSecond}));
}

// As in `tokenizers`: the token that the first template added is the first text of the second one.
TEST(Layouts, ATemplateBehindATemplateSeesItsPartsAsTexts) {
  std::vector<std::unique_ptr<PostProcessor>> steps;
  for (int i = 0; i < 2; ++i) {
    steps.push_back(std::make_unique<TemplateProcessing>(std::vector<Layout>{{Token(1)}, {kFirst}},
                                                         std::vector<Layout>{{kSecond}, {kFirst}}));
  }
  const Sequence sequence(std::move(steps));
  const Layouts layouts = Layouts::Create(&sequence).value();
  EXPECT_EQ(layouts.For(false, true), (Layout{{Piece::Kind::kFirstText, 0, 1}, Token(1)}));
}

TEST(Layouts, ATemplateRefusesThreeParts) {
  std::vector<std::unique_ptr<PostProcessor>> steps;
  for (int i = 0; i < 2; ++i) {
    steps.push_back(std::make_unique<TemplateProcessing>(
        std::vector<Layout>{{Token(1)}, {kFirst}, {Token(1)}}, std::vector<Layout>{{kFirst}}));
  }
  const Sequence sequence(std::move(steps));
  EXPECT_EQ(Layouts::Create(&sequence).status().message(),
            "a template takes one text or two, but the step before it made 3 parts");
}

}  // namespace
}  // namespace triptych::post_processors
