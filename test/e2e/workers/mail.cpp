// A real mail sync: Dovecot as a service, mbsync as a task on a timer. A message that is delivered on the
// server arrives in the local folder.

#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

constexpr uid_t nobody = 65534;  // Dovecot serves no mail of root

void server_files(sandbox& box, int port) {
    box.write("dovecot.conf", fmt::format(R"(base_dir = {0}/run
state_dir = {0}/state
log_path = /dev/stderr
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 1
ssl = no
disable_plaintext_auth = no
protocols = imap
listen = 127.0.0.1
mail_location = maildir:{0}/far
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {1}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={0}
}}
)",
                                          box.root(), port));
}

void client_files(sandbox& box, int port) {
    box.write("mbsyncrc", fmt::format(R"(IMAPAccount far
Host 127.0.0.1
Port {1}
User me
Pass secret
SSLType None
AuthMechs LOGIN

IMAPStore far
Account far

MaildirStore near
Path {0}/near/
Inbox {0}/near/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
)",
                                      box.root(), port));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mail)

BOOST_AUTO_TEST_CASE(a_task_on_a_timer_fetches_a_message_from_the_service_that_it_needs) {
    if (!require_root() || !require_program("mbsync") || !require_program("dovecot")) return;
    sandbox_options as_nobody;
    as_nobody.uid = nobody;
    sandbox box(as_nobody);
    const int port = free_port();
    server_files(box, port);
    client_files(box, port);
    box.config(
        fmt::format("[service.imap]\nrun = [\"/usr/sbin/dovecot\", \"-F\", \"-c\", \"dovecot.conf\"]\n"
                    "ready = {{ tcp = {} }}\n"
                    "[task.sync]\nrun = [\"mbsync\", \"-c\", \"mbsyncrc\", \"-a\"]\nevery = \"1s\"\n"
                    "after = [\"imap\"]\ntimeout = \"20s\"\n",
                    port));
    BOOST_TEST(box.shell("mkdir " + box.root() + "/near").status == 0);
    // The first run starts the server, and waits until it listens.
    const auto first = box.run({"run", "sync"});
    BOOST_TEST_CONTEXT(first.text() << box.run({"logs", "imap"}).text()) { BOOST_REQUIRE(first.status == 0); }
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "ready");

    const auto delivered = box.shell(fmt::format(
        "python3 -c 'import imaplib\n"
        "box = imaplib.IMAP4(\"127.0.0.1\", {})\nbox.login(\"me\", \"secret\")\n"
        "print(box.append(\"INBOX\", None, None, b\"Subject: kettle\\r\\n\\r\\nit boils\\r\\n\")[0])'",
        port));
    BOOST_TEST_CONTEXT(delivered.text()) { BOOST_TEST(delivered.out == "OK\n"); }
    const bool arrived = wait_until(
        [&] { return box.shell("grep -rl 'it boils' " + box.root() + "/near/INBOX").status == 0; }, 30s);
    BOOST_TEST_CONTEXT(box.run({"runs"}).text()) { BOOST_TEST(arrived); }
    const auto runs = box.run({"runs", "sync", "--json"}).out;
    BOOST_TEST(count(runs, "\"trigger\":\"timer\"") >= 1u);
    BOOST_TEST(count(runs, "\"state\":\"failed\"") == 0u);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
