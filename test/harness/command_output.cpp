#include "harness/command_output.hpp"

#include <stdio.h>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <system_error>

namespace hob::test {

command_output run_command(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "re");
    if (pipe == nullptr) throw std::system_error(errno, std::generic_category(), command);
    command_output result;
    std::array<char, 4096> chunk{};
    while (const std::size_t n = ::fread(chunk.data(), 1, chunk.size(), pipe))
        result.out.append(chunk.data(), n);
    result.status = ::pclose(pipe);
    return result;
}

std::string output_of(const std::string& command) {
    const command_output result = run_command(command);
    BOOST_TEST(result.status == 0, command);
    return result.out;
}

}  // namespace hob::test
