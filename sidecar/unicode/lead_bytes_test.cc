#include "unicode/lead_bytes.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

TEST(LeadBytes, EveryWayFindsThoseOfTheSetInAnyBytes) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    LeadBytes leads;
    std::set<char> first_bytes;
    for (size_t i = random() % 30; i > 0; --i) {
      // Of every size.
      const char32_t limits[] = {0x800, 0x10000, 0x110000};
      const char32_t character = 0x80 + random() % (limits[random() % 3] - 0x80);
      leads.Add(character);
      std::string bytes;
      AppendUtf8(character, bytes);
      first_bytes.insert(bytes[0]);
    }
    std::string block(LeadBytes::kBlockBytes, ' ');
    for (char& byte : block) byte = static_cast<char>(random());
    uint64_t expected = 0;
    for (size_t i = 0; i < block.size(); ++i) {
      if (first_bytes.contains(block[i])) expected |= uint64_t{1} << i;
    }
    for (const LeadBytes::Implementation& way : LeadBytes::Implementations()) {
      ASSERT_EQ(way.find(leads, block.data()), expected) << way.name;
    }
    ASSERT_EQ(leads.Find(block.data()), expected);
  }
}

}  // namespace
}  // namespace triptych::unicode
