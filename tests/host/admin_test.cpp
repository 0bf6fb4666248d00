// Administration through the worker as a whole: the question to the module, the socket of command lines, what is shown.

#include "tests/host/worker_rig.h"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>

namespace {

using namespace stox;
using namespace stox::host::test;
using nlohmann::json;

class AdminTest : public WorkerTest {
protected:
    Wire attached() {
        listen();
        set_domain(peer(5061));
        auto stream = attach(listener, "capulet.test");
        control->line_with("\"up\"");
        return stream;
    }

    std::string socket_path() const { return state.file("admin.sock"); }

    Wire connect() const {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, socket_path().c_str(), socket_path().size() + 1);
        // It is opened when the store is, which takes its time.
        for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
             std::chrono::steady_clock::now() < end;) {
            const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return Wire(descriptor);
            ::close(descriptor);
            ::usleep(10'000);
        }
        throw std::runtime_error("no admin socket");
    }

    json ask_socket(const json& question) const {
        auto wire = connect();
        wire.send(question.dump() + '\n');
        return json::parse(wire.read_until("\n"));
    }

    json ask(json question) {
        question["t"] = "admin";
        question["id"] = "7";
        control->send(question.dump() + '\n');
        return json::parse(control->line_with("\"t\":\"admin\""));
    }
};

TEST_F(AdminTest, TheModuleIsAskedWhoIsAnAdministrator) {
    auto stream = attached();
    const auto execute = [&](const std::string& id) {
        stream.send("<iq type='set' from='romeo@montague.test/home' to='capulet.test' id='" + id +
                    "'><command xmlns='http://jabber.org/protocol/commands' node='urn:stox:admin#overview'/></iq>");
        return json::parse(control->line_with("\"authz\""));
    };
    const auto question = execute("a1");
    EXPECT_EQ(question["domain"], "capulet.test");
    EXPECT_EQ(question["jid"], "romeo@montague.test/home");
    EXPECT_EQ(question["node"], "urn:stox:admin#overview");
    EXPECT_EQ(question["scope"], "domain");
    control->send(json{{"t", "authz"}, {"id", question["id"]}, {"allowed", true}}.dump() + '\n');
    const auto answer = stream.read_until("</iq>");
    EXPECT_NE(answer.find("status='completed'"), answer.npos) << answer;
    EXPECT_NE(answer.find("<field var='pid'"), answer.npos) << answer;
    control->line_with("audit command=overview who=romeo@montague.test/home via=xmpp result=done");

    const auto other = execute("a2");
    control->send(json{{"t", "authz"}, {"id", other["id"]}, {"allowed", false}}.dump() + '\n');
    EXPECT_NE(stream.read_until("</iq>").find("forbidden"), std::string::npos);
}

TEST_F(AdminTest, CommandsOfTheServersCommandLine) {
    const auto stream = attached();
    auto answer = ask({{"command", "peers"}, {"json", true}, {"who", "root"}, {"via", "shell"}});
    EXPECT_EQ(answer["id"], "7");
    EXPECT_EQ(answer["code"], 0);
    const auto peers = json::parse(answer["output"].get<std::string>())["peers"];
    EXPECT_EQ(peers.at(0)["peer"], "phones");
    EXPECT_EQ(peers.at(0)["probed"], false);
    EXPECT_EQ(peers.at(0)["transactions"], 0);
    const auto limits = json::parse(ask({{"command", "limits"}, {"json", true}})["output"].get<std::string>())["limits"];
    EXPECT_EQ(limits.front()["domain"], "capulet.test");
    EXPECT_EQ(limits.back()["limit"], "sip_connections") << "of all domains together";
    EXPECT_EQ(limits.back()["most"], 2'000);
    EXPECT_EQ(json::parse(
                  ask({{"command", "limits"}, {"json", true}, {"domain", "capulet.test"}})["output"].get<std::string>())["limits"]
                  .back()["domain"],
              "capulet.test");
    EXPECT_TRUE(ask({{"command", "peers"}})["output"].get<std::string>().starts_with("Peers\n"));
    EXPECT_EQ(ask({{"command", "dance"}})["code"], 2);
    EXPECT_EQ(ask({{"command", "ban"}})["code"], 2) << "an argument is missing";
    EXPECT_EQ(ask({{"command", ""}})["code"], 2);
    EXPECT_EQ(ask({{"command", "help"}})["code"], 0);
    answer = ask({{"command", "domains"}, {"domain", "elsewhere.test"}, {"json", true}});
    EXPECT_EQ(answer["code"], 1);
    EXPECT_TRUE(json::parse(answer["output"].get<std::string>()).contains("error"));
}

TEST_F(AdminTest, OverviewHasTheLastErrors) {
    const auto stream = attached();
    control->send("no JSON\n");
    control->line_with("control line refused");
    const auto overview = json::parse(ask({{"command", "overview"}, {"json", true}})["output"].get<std::string>());
    EXPECT_EQ(overview["worker"]["pid"], ::getpid());
    EXPECT_EQ(overview["worker"]["domains"], 1);
    EXPECT_EQ(overview["domains"].at(0)["state"], "up");
    EXPECT_NE(overview["errors"].at(0)["text"].get<std::string>().find("control line refused"), std::string::npos);
    EXPECT_LE(overview["errors"].at(0)["age_seconds"], 10);
}

TEST_F(AdminTest, BansOfAnOperator) {
    const auto stream = attached();
    EXPECT_EQ(ask({{"command", "ban"}, {"arguments", {"192.0.2.9", "5"}}})["code"], 0);
    const auto bans = [&] {
        return json::parse(ask({{"command", "bans"}, {"json", true}})["output"].get<std::string>())["bans"];
    };
    ASSERT_EQ(bans().size(), 1u);
    EXPECT_EQ(bans().at(0)["source"], "192.0.2.9");
    EXPECT_EQ(bans().at(0)["hears"], "nothing");
    EXPECT_GT(bans().at(0)["left_seconds"], 200);
    EXPECT_EQ(ask({{"command", "ban"}, {"arguments", {"127.0.0.1"}}})["code"], 1) << "a configured peer";
    EXPECT_EQ(ask({{"command", "unban"}, {"arguments", {"192.0.2.9"}}})["code"], 0);
    EXPECT_EQ(ask({{"command", "unban"}, {"arguments", {"192.0.2.9"}}})["code"], 1);
    EXPECT_TRUE(bans().empty());
}

TEST_F(AdminTest, WhatWasDoneIsWrittenWhateverTheLevel) {
    listen();
    for (const auto* level : {"error", "debug"}) {
        control->send(R"({"t":"admin","id":"7","command":"log-level","arguments":[")" + std::string(level) + "\"]}\n");
        EXPECT_NE(control->line_with("audit command=log-level").find(level), std::string::npos);
        control->line_with("\"t\":\"admin\"");
    }
}

TEST_F(AdminTest, ATraceShowsWhatItNamesAndNothingElse) {
    const auto port = listen();
    ask({{"command", "log-level"}, {"arguments", {"info"}}});
    set_domain(peer(5061));
    auto stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    const auto phone = udp_to(port);
    ask({{"command", "trace"}, {"arguments", {"worker-test-2"}}});
    for (const unsigned number : {1u, 2u}) phone.send(message_from_phone(local_port(phone), number));
    const auto line = control->line_with("traced t=");
    EXPECT_NE(line.find("call_id=worker-test-2"), line.npos) << line;
    EXPECT_NE(line.find("\"level\":\"info\""), line.npos) << "the server would not write a debug line";
    const auto traces = json::parse(ask({{"command", "traces"}, {"json", true}})["output"].get<std::string>())["traces"];
    EXPECT_EQ(traces.at(0)["match"], "worker-test-2");
    EXPECT_GE(traces.at(0)["lines_total"], 1);
}

TEST_F(AdminTest, ReloadAndStopAreTheModulesToDo) {
    const auto stream = attached();
    EXPECT_EQ(ask({{"command", "reload"}})["code"], 0);
    control->line_with("\"reload-wanted\"");
    EXPECT_EQ(ask({{"command", "stop"}})["code"], 0);
    control->line_with("\"stop-wanted\"");
}

TEST_F(AdminTest, TheSocketIsTheWorkersUsersAlone) {
    const auto stream = attached();
    const auto answer =
        ask_socket({{"t", "admin"}, {"command", "domains"}, {"json", true}, {"who", "somebody"}, {"via", "stoxctl"}});
    EXPECT_EQ(answer["code"], 0);
    EXPECT_EQ(json::parse(answer["output"].get<std::string>())["domains"].at(0)["domain"], "capulet.test");
    control->line_with("audit command=domains who=uid:" + std::to_string(::geteuid()) + " via=stoxctl result=done");
    struct stat found = {};
    ASSERT_EQ(::stat(socket_path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777u, 0600u);
}

TEST_F(AdminTest, TheSocketTakesQuestionsAlone) {
    const auto stream = attached();
    EXPECT_EQ(ask_socket({{"t", "stop"}})["code"], 2) << "not a command line of an operator";
    EXPECT_EQ(ask_socket(json::array())["code"], 2);
    auto endless = connect();
    try {
        endless.send(std::string(100'000, 'x'));
    } catch (const std::exception&) {  // closed in the middle of it
    }
    EXPECT_TRUE(endless.closed());
    EXPECT_EQ(ask_socket({{"t", "admin"}, {"command", "help"}})["code"], 0) << "it goes on";
}

TEST_F(AdminTest, TheSocketGoesWithTheWorkerAndAStaleOneIsReplaced) {
    {
        const auto stream = attached();
        ask_socket({{"t", "admin"}, {"command", "help"}});
    }
    stop();
    struct stat found = {};
    EXPECT_NE(::stat(socket_path().c_str(), &found), 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_path().c_str(), socket_path().size() + 1);
    const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(stale);
    start();
    const auto stream = attached();
    EXPECT_EQ(ask_socket({{"t", "admin"}, {"command", "help"}})["code"], 0);
}

}  // namespace
