#include "decoders/space_cleanup.h"

#include <cstddef>

namespace triptych::decoders {
namespace {

struct Replacement {
  const char* from;
  const char* to;
  bool only_in_tokenizers = false;
};

constexpr Replacement kReplacements[] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't", true},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

std::vector<LiteralReplacer> Steps(bool of_tokenizers) {
  std::vector<LiteralReplacer> steps;
  for (const auto& [from, to, only_in_tokenizers] : kReplacements) {
    if (of_tokenizers || !only_in_tokenizers) steps.emplace_back(from, to);
  }
  return steps;
}

}  // namespace

SpaceCleanup SpaceCleanup::OfTokenizers() { return SpaceCleanup(Steps(/*of_tokenizers=*/true)); }

SpaceCleanup SpaceCleanup::OfTransformers() { return SpaceCleanup(Steps(/*of_tokenizers=*/false)); }

void SpaceCleanup::Append(std::string_view piece, std::string& out) {
  std::string text(piece), changed;
  for (LiteralReplacer& step : steps_) {
    changed.clear();
    step.Append(text, changed);
    text.swap(changed);
  }
  out += text;
}

void SpaceCleanup::Flush(std::string& out) {
  std::string text, changed;
  for (LiteralReplacer& step : steps_) {
    changed.clear();
    step.Append(text, changed);
    step.Flush(changed);
    text.swap(changed);
  }
  out += text;
}

}  // namespace triptych::decoders
