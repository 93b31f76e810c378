// Forced into the files of the binaries hob_next and hob_sibling: their version instead of the project's.
#undef HOB_VERSION
#define HOB_VERSION HOB_VARIANT_VERSION
