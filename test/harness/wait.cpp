#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "harness/sandbox.hpp"
#include "paths.hpp"
#include "util/proc.hpp"

namespace hob::test {

bool wait_until(const std::function<bool()>& holds, milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    useconds_t pause = 500;
    for (;;) {
        if (holds()) return true;
        if (std::chrono::steady_clock::now() >= end) return false;
        ::usleep(pause);
        pause = std::min<useconds_t>(pause * 2, 20'000);
    }
}

void let_pass(std::chrono::microseconds exactly) {
    if (exactly.count() > 0) ::usleep(static_cast<useconds_t>(exactly.count()));
}

void let_pass_randomly(std::chrono::microseconds at_most) {
    static std::mt19937 generator{std::random_device{}()};
    let_pass(std::chrono::microseconds(std::uniform_int_distribution<long>(0, at_most.count())(generator)));
}

void not_possible_here(const std::string& why) {
    BOOST_TEST_MESSAGE("not possible here: " << why);
    const char* file = std::getenv("HOB_TEST_IMPOSSIBLE");
    if (file == nullptr) return;
    const auto fd = util::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const auto& name = boost::unit_test::framework::current_test_case().p_name.get();
    util::write_all(fd.get(), name + "\t" + why + "\n");
}

bool require_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::string rest = path != nullptr ? path : "/usr/bin:/bin";
    rest += ':';
    for (std::size_t at = 0; at < rest.size();) {
        const auto colon = rest.find(':', at);
        if (::access((rest.substr(at, colon - at) + "/" + name).c_str(), X_OK) == 0) return true;
        at = colon + 1;
    }
    if (number_from_env("HOB_REQUIRE_ALL", 0) != 0) {
        BOOST_ERROR(name << " is not installed");
    } else {
        not_possible_here(name + " is not installed");
    }
    return false;
}

bool require_root() {
    if (::geteuid() == 0) return true;
    not_possible_here("needs root");
    return false;
}

int number_from_env(const char* name, int otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr && *text != '\0' ? std::atoi(text) : otherwise;
}

bool sanitized() { return number_from_env("HOB_TEST_SANITIZED", 0) != 0; }

int scaled(int full) { return std::max(1, full / std::max(1, number_from_env("HOB_TEST_SCALE", 1))); }

std::string echo_worker(const std::string& name, const std::string& more) {
    return "[worker." + name + "]\nrun = [\"" HOB_PROGRAMS "/echo_worker\"]\nprotocol = \"jsonrpc\"\n" +
           more + "\n";
}

std::string proc_status(pid_t pid, const std::string& field) {
    const std::string text = "\n" + slurp("/proc/" + std::to_string(pid) + "/status");
    auto at = text.find("\n" + field + ":");
    if (at == std::string::npos) return {};
    at = text.find_first_not_of(" \t", at + field.size() + 2);
    return text.substr(at, text.find('\n', at) - at);
}

long context_switches(pid_t pid) {
    std::error_code error;
    long sum = 0;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
        const pid_t thread = std::atoi(task.path().filename().c_str());
        sum += std::atol(proc_status(thread, "voluntary_ctxt_switches").c_str()) +
               std::atol(proc_status(thread, "nonvoluntary_ctxt_switches").c_str());
    }
    return error ? -1 : sum;
}

int open_descriptors(pid_t pid) {
    std::error_code error;
    int found = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
        found += entry.path().empty() ? 0 : 1;
    }
    return error ? -1 : found;
}

std::string slurp(const std::string& path) { return util::read_file(path, 256u << 20).value_or(""); }

bool exists(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

bool process_lives(pid_t pid) {
    const auto stat = util::read_proc_stat(pid);
    return stat && !util::has_ended(*stat);
}

bool remove_tree(const std::string& path) {
    return wait_until([&] {
        std::error_code busy;
        std::filesystem::remove_all(path, busy);
        return !exists(path);
    });
}

std::size_t count(std::string_view text, std::string_view word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size()))
        ++found;
    return found;
}

std::optional<std::string> json_at(std::string_view text, const std::string& pointer) {
    boost::system::error_code error;
    const auto value = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
    if (error) return std::nullopt;
    const auto* found = value.find_pointer(pointer, error);
    if (found == nullptr) return std::nullopt;
    if (const auto* string = found->if_string()) return std::string(string->data(), string->size());
    return boost::json::serialize(*found);
}

}  // namespace hob::test
