// hob.toml as a file: its owner, its type and its size.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "error.hpp"
#include "fixtures/schema_judge.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"

using namespace hob;
using namespace std::string_view_literals;
using unit::load_config;
using unit::unit_names;

namespace {

struct scratch {
    scratch() {
        char name[] = "/tmp/hob-test-config-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name) != nullptr);
        path = name;
        file = path + "/hob.toml";
    }
    ~scratch() { std::filesystem::remove_all(path); }
    void write(std::string_view text, mode_t mode = 0644) const {
        std::ofstream(file, std::ios::binary) << text;
        BOOST_REQUIRE(::chmod(file.c_str(), mode) == 0);
    }
    std::string path;
    std::string file;
};

struct refusal {
    error_kind kind;
    std::string message;
    std::string hint;
};

refusal refused(const std::string& path, uid_t owner = ::geteuid()) {
    try {
        load_config(path, owner);
    } catch (const failure& error) {
        return {error.kind(), error.what(), error.hint()};
    }
    BOOST_ERROR("accepted");
    return {error_kind::internal, "", ""};
}

std::string names(const std::string& path) {
    std::string text;
    for (const auto& [name, kind] : unit_names(path))
        text += std::string(unit::name_of(kind)) + ":" + name + " ";
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_files)

BOOST_AUTO_TEST_CASE(a_file_of_the_own_user_is_read) {
    const scratch here;
    here.write("[worker.w]\nrun = \"w\"\n", 0664);
    const unit::config loaded = load_config(here.file, ::geteuid());
    BOOST_TEST(loaded.units.size() == 1u);
    BOOST_TEST(loaded.source_path == here.file);
    BOOST_TEST(loaded.source_hash.size() == 64u);
    BOOST_TEST(loaded.units[0].cwd == here.path);
}

BOOST_AUTO_TEST_CASE(S02_a_file_that_everyone_may_write_is_refused) {
    const scratch here;
    here.write("", 0646);
    const refusal found = refused(here.file);
    BOOST_TEST((found.kind == error_kind::untrusted_config));
    BOOST_TEST(found.message == "cannot use '" + here.file + "': everyone may write to it (uid " +
                                    std::to_string(::geteuid()) + ", mode 0646)");
    BOOST_TEST(found.hint == "chmod o-w '" + here.file + "'");
}

BOOST_AUTO_TEST_CASE(S02_a_file_of_another_user_is_refused_and_one_of_root_is_not) {
    const scratch here;
    here.write("");
    const uid_t mine = ::geteuid();
    if (mine != 0) {
        const refusal found = refused(here.file, mine + 1);
        BOOST_TEST((found.kind == error_kind::untrusted_config));
        return;
    }
    load_config(here.file, 12345);  // root's
    BOOST_REQUIRE(::chown(here.file.c_str(), 12345, 12345) == 0);
    load_config(here.file, 12345);
    const refusal found = refused(here.file, 0);
    BOOST_TEST((found.kind == error_kind::untrusted_config));
    BOOST_TEST(found.message ==
               "cannot use '" + here.file +
                   "': it belongs to uid 12345 (mode 0644), neither to you (uid 0) nor to root");
    BOOST_TEST(!found.hint.empty());
    // A symlink of the own user does not change the owner of the file.
    const std::string link = here.path + "/link.toml";
    BOOST_REQUIRE(::symlink(here.file.c_str(), link.c_str()) == 0);
    BOOST_TEST((refused(link, 0).kind == error_kind::untrusted_config));
}

BOOST_AUTO_TEST_CASE(L12_a_path_that_is_no_regular_file_is_refused_without_waiting) {
    const scratch here;
    const auto message = [&] { return refused(here.file).message; };
    const std::string lead = "cannot read '" + here.file + "': ";
    BOOST_TEST(message() == lead + "No such file or directory");
    BOOST_TEST(refused(here.file).hint == "hob init writes one");
    BOOST_REQUIRE(::mkdir(here.file.c_str(), 0700) == 0);
    BOOST_TEST(message() == lead + "it is a directory");
    BOOST_REQUIRE(::rmdir(here.file.c_str()) == 0);
    BOOST_REQUIRE(::mkfifo(here.file.c_str(), 0600) == 0);
    BOOST_TEST(message() == lead + "it is a fifo");
    BOOST_TEST(names(here.file) == "");
    BOOST_REQUIRE(::unlink(here.file.c_str()) == 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, here.file.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_TEST(message() == lead + "it is a socket");
    ::close(fd);
    BOOST_TEST(refused("/dev/zero").message == "cannot read '/dev/zero': it is a device");
    BOOST_REQUIRE(::unlink(here.file.c_str()) == 0);
    BOOST_REQUIRE(::symlink("hob.toml", here.file.c_str()) == 0);
    BOOST_TEST(message() == lead + "Too many levels of symbolic links");
    BOOST_TEST(refused(here.path + "/" + std::string(5000, 'x')).message.ends_with("File name too long"));
    BOOST_TEST((refused(here.file).kind == error_kind::config));
}

BOOST_AUTO_TEST_CASE(a_file_beyond_the_cap_is_refused) {
    const scratch here;
    here.write("#" + std::string(limits::config_file_max - 2, ' ') + "\n");
    BOOST_TEST(load_config(here.file, ::geteuid()).units.empty());
    here.write("#" + std::string(limits::config_file_max - 1, ' ') + "\n");
    BOOST_TEST(refused(here.file).message == "cannot read '" + here.file + "': it is larger than 4 MiB");
}

BOOST_AUTO_TEST_CASE(names_are_found_in_good_and_in_broken_files) {
    const scratch here;
    BOOST_TEST(names(here.file) == "");
    here.write("[task.b]\nrun = \"x\"\n[service]\na = { run = \"x\" }\n[worker.\"c.d\"]\nnonsense = 1\n",
               0666);
    BOOST_TEST(names(here.file) == "task:b service:a worker:c.d ");
    here.write(
        "[task.b]\nrun = \n[ service . a ] # "
        "x\n[service.a.env]\n[worker.\"c.d\"]\n[log]\n[other.x]\n[worker.\n[\n");
    BOOST_TEST(names(here.file) == "task:b service:a worker:c.d ");
}

BOOST_AUTO_TEST_CASE(S04_a_damaged_file_is_an_error_with_a_position_or_fine) {
    const std::string whole =
        "[daemon]\nidle_timeout = \"30m\"\n[log]\nlevel = \"info\"\n[worker.clangd]\nprotocol = \"lsp\"\nrun "
        "= [\"clangd\", "
        "'x']\n"
        "initialize = { a.b = [1, 2.5, 2026-01-01] }\n[service.db]\nrun = \"postgres -D data\"\n"
        "ready = { tcp = 5432, timeout = \"20s\" }\nstop = { signal = \"TERM\", timeout = \"5s\" "
        "}\n[task.x]\n"
        "run = \"\"\"\nmake\n\"\"\"\ncron = \"*/5 * * * *\"\nafter = [\"db\"]\n";
    BOOST_TEST(unit::parse_config(whole, "/p/hob.toml").units.size() == 3u);
    test::schema_judge judge;
    std::mt19937 random(4);
    constexpr std::string_view salt = "\0\n\"'[]{}=.,#\\x\xff\xc3"sv;
    for (int round = 0; round < 3000; ++round) {
        std::string text = whole;
        for (auto n = 1 + random() % 4; n > 0; --n) {
            if (text.empty()) break;
            const std::size_t at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text.erase(at, 1 + random() % 8);
                    break;
                case 1:
                    text[at] = salt[random() % salt.size()];
                    break;
                case 2:
                    text.insert(at, 1, salt[random() % salt.size()]);
                    break;
                default:
                    text.resize(at + 1);
                    break;
            }
        }
        try {
            unit::parse_config(text, "/p/hob.toml");
            judge.add(text);
        } catch (const failure& error) {
            BOOST_REQUIRE_MESSAGE(std::string(error.what()).starts_with("cannot use '/p/hob.toml:"),
                                  error.what());
            BOOST_REQUIRE((error.kind() == error_kind::config));
            judge.add(text, error.reason());
        }
    }
    judge.judge(200, {"is not usable: ", "unknown unit '"});
}

BOOST_AUTO_TEST_SUITE_END()
