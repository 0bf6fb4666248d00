#include "plugin/host/secrets.h"

#include "plugin/host/secret_file.h"

#include <algorithm>
#include <array>
#include <optional>

namespace stox::host {

namespace {

namespace digest = sip::digest;

class Reader {
public:
    explicit Reader(const config::DomainOptions& options) : options_(options) {}

    ReadSecrets read() {
        if (!options_.digest.ha1_file.empty()) read_users();
        for (const auto& peer : options_.peers)
            if (peer.auth) read_login(peer);
        return std::move(out_);
    }

private:
    void problem(const std::string& path, std::string text) { out_.problems.push_back({path, std::move(text)}); }

    std::optional<std::string> text_of(const std::string& file, const std::string& path) {
        auto secret = read_secret_file(file);
        if (!secret) {
            problem(path, file + ": " + secret.error().detail);
            return std::nullopt;
        }
        if (secret.value().open_to_all)
            out_.warnings.push_back(path + ": every user of this machine may read " + file + "; take that away with chmod o-r");
        return std::move(secret.value().text);
    }

    std::optional<digest::Ha1Table> table_of(const std::string& file, const std::string& path) {
        const auto text = text_of(file, path);
        if (!text) return std::nullopt;
        auto table = digest::Ha1Table::parse(*text);
        if (!table) {
            problem(path, file + ": " + table.error().detail);
            return std::nullopt;
        }
        return std::move(table).value();
    }

    void read_users() {
        auto table = table_of(options_.digest.ha1_file, "digest.ha1_file");
        if (!table) return;
        bool all_known = true;
        for (const auto& peer : options_.peers)
            for (const auto& user : peer.users)
                if (!is_known(*table, user)) {
                    problem("peers." + peer.name + ".match.user",
                            user + " has no line with realm " + options_.digest.realm + " in " + options_.digest.ha1_file);
                    all_known = false;
                }
        if (all_known && engine::usable_algorithms(options_, *table).empty())
            problem("digest.algorithms", "there is none for which every user has a line in " + options_.digest.ha1_file);
        out_.secrets.users = std::move(*table);
    }

    bool is_known(const digest::Ha1Table& table, const std::string& user) const {
        using enum digest::Algorithm;
        return std::ranges::any_of(std::array{md5, sha256, sha512_256}, [&](digest::Algorithm algorithm) {
            return table.find(user, options_.digest.realm, algorithm).has_value();
        });
    }

    void read_login(const config::Peer& peer) {
        const auto path = "peers." + peer.name + ".auth";
        digest::Login login;
        login.user = peer.auth->user;
        login.realms = peer.auth->realms;
        if (!peer.auth->password_file.empty()) {
            const auto text = text_of(peer.auth->password_file, path + ".password_file");
            if (!text) return;
            auto password = text->substr(0, text->find_first_of("\r\n"));
            if (password.empty()) return problem(path + ".password_file", peer.auth->password_file + ": its first line is empty");
            login.secret = digest::Password{std::move(password)};
        } else {
            const auto table = table_of(peer.auth->ha1_file, path + ".ha1_file");
            if (!table) return;
            auto lines = table->of(login.user);
            if (lines.empty()) return problem(path + ".ha1_file", peer.auth->ha1_file + ": no line of " + login.user);
            login.secret = std::move(lines);
        }
        out_.secrets.logins.emplace(peer.name, std::move(login));
    }

    const config::DomainOptions& options_;
    ReadSecrets out_;
};

}  // namespace

ReadSecrets read_secrets(const config::DomainOptions& options) { return Reader(options).read(); }

}  // namespace stox::host
