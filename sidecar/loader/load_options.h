// LoadOptions: what a tokenizer.json does not tell, and the one who loads it may choose.
#ifndef SIDECAR_LOADER_LOAD_OPTIONS_H_
#define SIDECAR_LOADER_LOAD_OPTIONS_H_

#include "unicode/table_version.h"

namespace triptych::loader {

struct LoadOptions {
  // The series of `tokenizers` whose ids are wanted.
  unicode::TableVersion tables = unicode::TableVersion::kTokenizers023;
};

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_LOAD_OPTIONS_H_
