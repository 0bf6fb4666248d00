// How many domains of a service are remembered.

#include "plugin/host/domain_users.h"

#include <gtest/gtest.h>

namespace {

using stox::host::DomainUsers;

TEST(DomainUsers, AsManyAsThereIsRoomForAndNotOneMore) {
    DomainUsers users(2, 2);
    EXPECT_TRUE(users.put("one.test", "prosody"));
    EXPECT_TRUE(users.put("two.test", "prosody"));
    EXPECT_FALSE(users.put("three.test", "ejabberd"));
    EXPECT_FALSE(users.is_of_another("three.test", "prosody")) << "nobody's";
}

TEST(DomainUsers, AFullOneStillTakesWhatItKnows) {
    DomainUsers users(1, 1);
    users.put("one.test", "prosody");
    EXPECT_TRUE(users.put("one.test", "ejabberd"));
    EXPECT_TRUE(users.is_of_another("one.test", "prosody"));
    EXPECT_FALSE(users.is_of_another("one.test", "ejabberd"));
}

TEST(DomainUsers, WhatGoesForGoodMakesRoom) {
    DomainUsers users(1, 1);
    users.put("one.test", "prosody");
    users.forget("one.test");
    EXPECT_TRUE(users.put("two.test", "ejabberd"));
    EXPECT_FALSE(users.is_of_another("one.test", "ejabberd"));
}

TEST(DomainUsers, OneUserLeavesRoomForOthers) {
    DomainUsers users(4, 2);
    users.put("one.test", "prosody");
    users.put("two.test", "prosody");
    EXPECT_TRUE(users.put("three.test", "ejabberd"));
    EXPECT_FALSE(users.put("four.test", "prosody"));
    EXPECT_TRUE(users.put("two.test", "prosody"));
    EXPECT_FALSE(users.put("three.test", "prosody")) << "it takes none from another beyond that either";
}

TEST(DomainUsers, WhoIsAloneHasAllOfIt) {
    DomainUsers users(3, 2);
    for (const auto* domain : {"one.test", "two.test", "three.test"}) EXPECT_TRUE(users.put(domain, "prosody"));
    EXPECT_FALSE(users.put("four.test", "prosody"));
}

}  // namespace
