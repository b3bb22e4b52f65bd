// SerdeFloat: the number that `tokenizers` reads where a file has a fraction.
#ifndef SIDECAR_LOADER_SERDE_FLOAT_H_
#define SIDECAR_LOADER_SERDE_FLOAT_H_

namespace triptych::loader {

// serde_json, as `tokenizers` builds it, does not round correctly: it multiplies or divides the
// digits, as an integer, by a power of ten, and rounds at each step. A quarter of the scores in
// T5's and XLNet's files come out one unit in the last place away. The score of a way to cut a text
// is a sum of such numbers, and of two equal ways another one may win.
//
// `exact` is the correctly rounded number; its shortest digits stand in for those in the file.
// That is exact for every file that a program wrote with the shortest digits that read back, as
// serde_json and Python's json do, and wherever there are at most 15 digits.
[[nodiscard]] double SerdeFloat(double exact);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_SERDE_FLOAT_H_
