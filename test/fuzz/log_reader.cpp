// Any bytes as a log: the same lines from the front and from the back, each understood or left as it is.

#include "util/log/log_reader.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/target.hpp"
#include "util/fd.hpp"
#include "util/log/log_reader_record.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    util::open_log log;
    log.fd.reset(::memfd_create("fuzz", MFD_CLOEXEC));
    claim(util::write_all(log.fd.get(), text), "the input is written");
    log.size = static_cast<off_t>(size);
    std::vector<std::string> forward, backward;
    const auto into = [](std::vector<std::string>& lines) {
        return [&lines](std::string_view line) {
            lines.emplace_back(line);
            return true;
        };
    };
    util::read_lines(log, 0, into(forward));
    util::read_lines_backward(log, log.size, into(backward));
    std::reverse(backward.begin(), backward.end());
    claim(forward == backward, "the lines are the same from both ends");
    for (const auto& line : forward) {
        claim(!line.empty() && line.find('\n') == std::string::npos, "a line is one line");
        const auto record = util::parse_log_record(line);
        claim(record.understood || record.message == line, "what is no record stays what it is");
        util::message_and_fields(record);
    }
    const off_t end = util::end_of_last_line(log);
    claim(end >= 0 && end <= log.size, "an unfinished line begins within the file");
    return 0;
}
