// numbered STREAMS KIND SIZE PAUSE: writes numbered lines to its standard output, or (STREAMS 2) to both outputs in
// turn, in writes of about SIZE bytes with pauses of PAUSE microseconds. KIND: "text" or "bytes".

#include <cstdlib>
#include <string_view>

#include "../fixtures/numbered_lines.hpp"

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const bool both = std::string_view(argv[1]) == "2";
    hob::test::write_numbered_lines(1, both ? 2 : -1, std::string_view(argv[2]) == "text",
                                    std::strtoul(argv[3], nullptr, 10),
                                    static_cast<useconds_t>(std::strtoul(argv[4], nullptr, 10)));
}
