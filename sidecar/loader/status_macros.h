// ASSIGN_OR_RETURN and RETURN_IF_ERROR: the only macros of the sidecar, and only of the loader.
//
// Parsing is a chain of steps of which each may fail; without the two, three lines of four would
// pass failures on. Other folders have few such places and write them out.
#ifndef SIDECAR_LOADER_STATUS_MACROS_H_
#define SIDECAR_LOADER_STATUS_MACROS_H_

#define TRIPTYCH_CONCAT_INNER(a, b) a##b
#define TRIPTYCH_CONCAT(a, b) TRIPTYCH_CONCAT_INNER(a, b)

// Declares or assigns `target` from the StatusOr `expression`, or returns its failure.
#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_AS(TRIPTYCH_CONCAT(status_or_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_AS(temporary, target, expression)   \
  auto temporary = (expression);                             \
  if (!temporary.ok()) return std::move(temporary).status(); \
  target = *std::move(temporary)

// Returns the Status `expression` where it is a failure.
#define RETURN_IF_ERROR(expression) \
  if (absl::Status status = (expression); !status.ok()) return status

#endif  // SIDECAR_LOADER_STATUS_MACROS_H_
