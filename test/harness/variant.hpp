// Included first in all files of the binaries hob_next and hob_sibling: sets their version.
#undef HOB_VERSION
#define HOB_VERSION HOB_VARIANT_VERSION
