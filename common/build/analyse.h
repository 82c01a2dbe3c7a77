/*
 * What clang-tidy cannot see across files: refusing always returns -1. Included before every file that `make tidy`
 * looks at, and by no compilation.
 */
#include "common/base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_internal(...) (error_internal(__VA_ARGS__), -1)
#define error_busy(...) (error_busy(__VA_ARGS__), -1)
#define error_field(...) (error_field(__VA_ARGS__), -1)
#define error_too_many(...) (error_too_many(__VA_ARGS__), -1)
