#include "rewrite/plain_phrases.h"

static const char *const open_phrases[] = {
    "The target is {T} from {L}. ", "With {L} here, the target is {T}. ",   "How to get {T} from {L}? ",
    "The target is {T} with {L}. ", "The target is {T}, the list is {L}. ", "{L} should make {T}. ",
    "What can {L} do to get {T}? ", "Here are {L}, to make {T}. ",
};
static const char *const forward_phrases[] = {
    "Try {E} first, leaving {L}. ",   "Start with {E}, leaving {L}. ", "Begin with {E}, leaving {L}. ",
    "It may be {E}, leaving {L}. ",   "What about {E}, leaving {L}? ", "A start is {E}, leaving {L}. ",
    "{E} may be good, leaving {L}. ",
};
static const char *const forward_again_phrases[] = {
    "One more try is {E}, leaving {L}. ",
    "One more way is {E}, leaving {L}. ",
    "Start over with {E}, leaving {L}. ",
    "Go back and try {E}, leaving {L}. ",
    "{E} may be better, leaving {L}. ",
    "What about {E}, leaving {L}? ",
    "Try a different start, {E}, leaving {L}. ",
    "It could also be {E}, leaving {L}. ",
    "Now {E}, leaving {L}. ",
};
static const char *const backward_phrases[] = {
    "Work backward. With {Z} last, {E}, need {R} from {L}. ",
    "Keep {Z} for the end, {E}, need {R} from {L}. ",
    "Use {Z} last, {E}, need {R} from {L}. ",
    "What about {Z} last? {E}, need {R} from {L}. ",
    "The target is {T}, the end could be {Z}, {E}, need {R} from {L}. ",
};
static const char *const backward_again_phrases[] = {
    "Go back and use {Z} last, {E}, need {R} from {L}. ",
    "Now keep {Z} for the end, {E}, need {R} from {L}. ",
    "Or {Z} comes last, {E}, need {R} from {L}. ",
    "What about {Z} last? {E}, need {R} from {L}. ",
    "One more way is to use {Z} last, {E}, need {R} from {L}. ",
    "The end could also be {Z}, {E}, need {R} from {L}. ",
};
static const char *const last_phrases[] = {
    "{Z} comes last, need {G} from {L}. ",
    "With {Z} last, need {G} from {L}. ",
    "It may be {Z} last, need {G} from {L}. ",
    "Keep {Z} for the end, need {G} from {L}. ",
    "To get {T} with {Z} last, need {G} from {L}. ",
    "Put {Z} last, need {G} from {L}. ",
    "Try {Z} last, need {G} from {L}. ",
};
static const char *const last_again_phrases[] = {
    "Now with {Z} last, need {G} from {L}. ",        "Now try {Z} last, need {G} from {L}. ",
    "Or {Z} comes last, need {G} from {L}. ",        "And with {Z} last, need {G} from {L}. ",
    "Now keep {Z} for the end, need {G} from {L}. ", "What about {Z} last? Need {G} from {L}. ",
    "It may be {Z} last, need {G} from {L}. ",       "{Z} last is better, need {G} from {L}. ",
    "One more way is {Z} last, need {G} from {L}. ",
};
static const char *const list_phrases[] = {"", "", "", "Get ", "The list: ", "Now ", "Here, "};
static const char *const fail_phrases[] = {
    ", ~no. ",
    ", ~none of them is {N}. ",
    ". ~No. ",
    ", ~that does not work. ",
    ". ~No, need {N}. ",
    ", ~not {N}. ",
    ". ~That does not give {N}. ",
    ". ~None of these is {N}. ",
    ", ~need {N}, no. ",
};
static const char *const fail_small_phrases[] = {
    ", ~too small. ",
    ". ~It is too small. ",
    ", ~it is too small. ",
    ". ~No, need {N}, too small. ",
};
static const char *const fail_big_phrases[] = {
    ", ~too big. ",
    ". ~It is too big. ",
    ", ~it is too big. ",
    ". ~No, need {N}, too big. ",
};
static const char *const hit_phrases[] = {
    ": right! ", ": here it is! ", ": great. ", ": {R} is right. ", ": it is {R}. ", ": here is {R}. ", ": nice, {R}. ",
};
static const char *const near_phrases[] = {
    "^{R} is only {D} away from {N}. ",
    "^Close, {R} is just {D} away from {N}. ",
};
static const char *const unsure_phrases[] = {
    "~This is doubtful. ",
    "~It is doubtful. ",
    "~Doubtful, this one. ",
};
static const char *const recheck_phrases[] = {
    "^Check once more, {E}, right. ",
    "~This looks doubtful. ^Check again, {E}, right. ",
    "^Make sure, {E}, good. ",
};
static const char *const tried_phrases[] = {
    "What about {Z} last? @It should be another, that was tried already. ",
    "It may be {Z} last, @no, it should be a new one. ",
    "Now {Z} last. @It should be another, that was tried before. ",
};
static const char *const negative_phrases[] = {
    "{Z} - {R}, @below zero, it should be {E}",
    "{Z} - {R}, @no, it should be {E}",
    "{Z} - {R}, @the other way, {E}",
};
static const char *const slip_phrases[] = {
    "{E}, @no, it should be ",
    "{E}, @it should be ",
    "{E}, @this should have been ",
};
static const char *const verify_phrases[] = {
    "^Check, {C}, right. ", "^Verify, {C}, it works. ",   "^To make sure, {C}, good. ", "^Check the whole thing, {C}. ",
    "^Check: {C}. ",        "^Verify it, {C}, correct. ",
};
static const char *const answer_phrases[] = {
    "With that the answer is ", "The answer is ", "It works, the answer is ", "This makes ",
    "Good, the answer is ",     "Here it is: ",
};
static const char *const give_up_phrases[] = {
    "A lot was tried, out of ideas, stop here.",
    "Give up on this one.",
    "It could go on for long, stop here.",
    "Give up here.",
};

#define PHRASES(a)                                                                                                     \
    { a, sizeof a / sizeof *a }
const rt_phrases rt_plain_phrase_table[RT_SLOT_COUNT] = {
    [RT_SLOT_OPEN] = PHRASES(open_phrases),
    [RT_SLOT_FORWARD] = PHRASES(forward_phrases),
    [RT_SLOT_FORWARD_AGAIN] = PHRASES(forward_again_phrases),
    [RT_SLOT_BACKWARD] = PHRASES(backward_phrases),
    [RT_SLOT_BACKWARD_AGAIN] = PHRASES(backward_again_phrases),
    [RT_SLOT_LAST] = PHRASES(last_phrases),
    [RT_SLOT_LAST_AGAIN] = PHRASES(last_again_phrases),
    [RT_SLOT_LIST] = PHRASES(list_phrases),
    [RT_SLOT_FAIL] = PHRASES(fail_phrases),
    [RT_SLOT_FAIL_SMALL] = PHRASES(fail_small_phrases),
    [RT_SLOT_FAIL_BIG] = PHRASES(fail_big_phrases),
    [RT_SLOT_HIT] = PHRASES(hit_phrases),
    [RT_SLOT_NEAR] = PHRASES(near_phrases),
    [RT_SLOT_UNSURE] = PHRASES(unsure_phrases),
    [RT_SLOT_RECHECK] = PHRASES(recheck_phrases),
    [RT_SLOT_TRIED] = PHRASES(tried_phrases),
    [RT_SLOT_NEGATIVE] = PHRASES(negative_phrases),
    [RT_SLOT_SLIP] = PHRASES(slip_phrases),
    [RT_SLOT_VERIFY] = PHRASES(verify_phrases),
    [RT_SLOT_ANSWER] = PHRASES(answer_phrases),
    [RT_SLOT_GIVE_UP] = PHRASES(give_up_phrases),
};
