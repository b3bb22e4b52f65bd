// Limits: what one caller may take, and how much is done at once.
#ifndef SIDECAR_SERVER_LIMITS_H_
#define SIDECAR_SERVER_LIMITS_H_

namespace triptych::server {

// Each is a flag of the same name (see kUsage in options.h) and at least 1.
struct Limits {
  int max_text_bytes = 64 << 20;
  int max_batch = 4096;  // texts in one EncodeBatch or StreamEncode message
  int max_message_bytes = 256 << 20;
  int max_streams = 65536;  // token streams that are open, over all calls
  int max_calls = 256;      // calls that are open; each has a thread
  int threads = 0;          // texts that are encoded at once; 0: one for each processor
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_LIMITS_H_
