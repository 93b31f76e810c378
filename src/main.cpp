#include "cmd/core/dispatch.hpp"

int main(int argc, char** argv) { return hob::cmd::dispatch(argc, argv); }
