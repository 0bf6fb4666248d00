// Which stanzas of a stream are dealt with, while some of them are being stored.

#include "plugin/host/taken_stanzas.h"

#include <gtest/gtest.h>

namespace {

using stox::engine::CommitId;
using stox::host::StreamMark;
using stox::host::TakenStanzas;

TEST(TakenStanzas, WhatIsNotStoredIsTakenAtOnce) {
    TakenStanzas stanzas;
    stanzas.begin("one");
    EXPECT_EQ(stanzas.taken(), (StreamMark{"one", 0}));
    stanzas.came();
    EXPECT_EQ(stanzas.taken(), (StreamMark{"one", 0})) << "it is in hand";
    stanzas.handled();
    EXPECT_EQ(stanzas.taken(), (StreamMark{"one", 1}));
}

TEST(TakenStanzas, OneThatIsBeingStoredHoldsBackThoseBehindIt) {
    TakenStanzas stanzas;
    stanzas.begin("one");
    for (const auto commit : {CommitId{5}, CommitId{6}}) {
        stanzas.came();
        stanzas.commit(commit);
        stanzas.handled();
    }
    stanzas.came();
    stanzas.handled();
    EXPECT_EQ(stanzas.taken().count, 0u);
    stanzas.committed(CommitId{6});
    EXPECT_EQ(stanzas.taken().count, 0u);
    stanzas.committed(CommitId{5});
    EXPECT_EQ(stanzas.taken().count, 3u);
}

TEST(TakenStanzas, CommitsOfNoStanzaAndOfAnEarlierStreamDoNotCount) {
    TakenStanzas stanzas;
    stanzas.begin("one");
    stanzas.came();
    stanzas.commit(CommitId{1});
    stanzas.handled();
    stanzas.begin("two");
    stanzas.commit(CommitId{2});
    stanzas.came();
    EXPECT_EQ(stanzas.all(), (StreamMark{"two", 1}));
    stanzas.handled();
    EXPECT_EQ(stanzas.taken(), (StreamMark{"two", 1}));
}

}  // namespace
