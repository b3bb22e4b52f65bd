#include "decoders/byte_fallback.h"

#include <gtest/gtest.h>

#include <optional>

namespace triptych::decoders {
namespace {

TEST(ByteFallback, ReadsByteTokensAsRustDoes) {
  EXPECT_EQ(ByteFallback::ByteOf("<0x0a>"), 10);
  EXPECT_EQ(ByteFallback::ByteOf("<0xFF>"), 255);
  EXPECT_EQ(ByteFallback::ByteOf("<0x+A>"), 10);
  for (const char* token :
       {"<0x-1>", "<0x++>", "<0xA>", "<0x00A>", "<0XAA>", "<0xé>", "<0x 1>", ""}) {
    EXPECT_EQ(ByteFallback::ByteOf(token), std::nullopt) << token;
  }
}

}  // namespace
}  // namespace triptych::decoders
