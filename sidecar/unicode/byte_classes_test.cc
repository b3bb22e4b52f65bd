#include "unicode/byte_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace triptych::unicode {
namespace {

bool SameMasks(const BlockMasks& a, const BlockMasks& b, size_t sets) {
  return std::equal(a.of_class.begin(), a.of_class.begin() + sets, b.of_class.begin()) &&
         a.non_ascii == b.non_ascii && a.continuation == b.continuation;
}

TEST(ByteClasses, EveryImplementationGivesTheMasksOfTheScalarOne) {
  std::mt19937 random(1);
  const auto& implementations = ByteClasses::Implementations();
  ASSERT_EQ(implementations.back().name, "scalar");
  for (int round = 0; round < 200; ++round) {
    ByteClasses classes(1 + random() % kByteClasses);
    for (int i = 0; i < 300; ++i) {
      classes.Add(static_cast<uint8_t>(random() % 128), random() % classes.sets());
    }
    // No byte behind it may be read.
    std::vector<char> block(random() % (kBlockBytes + 1));
    for (char& c : block) c = static_cast<char>(random());
    const auto masks_of = [&](const ByteClasses::Implementation& implementation) {
      return implementation.classify(classes, block.data(), block.size());
    };
    const BlockMasks expected = masks_of(implementations.back());
    for (const auto& implementation : implementations) {
      EXPECT_TRUE(SameMasks(masks_of(implementation), expected, classes.sets()))
          << implementation.name << " " << block.size();
    }
  }
}

TEST(ByteClasses, EachByteIsInItsSetsOnly) {
  ByteClasses classes(kByteClasses);
  for (uint8_t byte = 0; byte < 128; ++byte) classes.Add(byte, byte % kByteClasses);
  for (int start = 0; start < 256; start += kBlockBytes) {
    std::string block;
    for (size_t i = 0; i < kBlockBytes; ++i) block.push_back(static_cast<char>(start + i));
    const BlockMasks masks = classes.Classify(block.data(), block.size());
    for (size_t i = 0; i < kBlockBytes; ++i) {
      const int byte = start + static_cast<int>(i);
      EXPECT_EQ(masks.non_ascii >> i & 1, byte >= 128 ? 1u : 0u);
      EXPECT_EQ(masks.continuation >> i & 1, byte >= 0x80 && byte < 0xC0 ? 1u : 0u);
      for (size_t n = 0; n < kByteClasses; ++n) {
        EXPECT_EQ(masks.of_class[n] >> i & 1, byte < 128 && byte % kByteClasses == n ? 1u : 0u);
      }
    }
  }
}

}  // namespace
}  // namespace triptych::unicode
