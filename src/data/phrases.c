#include "data/phrases.h"

static const char *const open_phrases[] = {
    "Okay, I need {T} from {L}. ",
    "Let me think, I have {L} and I want {T}. ",
    "Hmm, how can I get {T} from {L}? ",
    "I want to make {T} with {L}. ",
    "So the target is {T} and I have {L}. ",
    "Okay, let me see, {L} should make {T}. ",
    "Let me see what I can do with {L} to get {T}. ",
    "I have {L}, and I need {T}. ",
};
static const char *const forward_phrases[] = {
    "Let me try {E} first, leaving {L}. ",    "Maybe I can start with {E}, leaving {L}. ",
    "I could begin with {E}, leaving {L}. ",  "Perhaps {E} helps, leaving {L}. ",
    "What if I take {E}, leaving {L}? ",      "Let me start with {E}, leaving {L}. ",
    "I think {E} may be good, leaving {L}. ",
};
static const char *const forward_again_phrases[] = {
    "Instead, let me try {E}, leaving {L}. ",
    "Alternatively, I can take {E}, leaving {L}. ",
    "Okay, let me start over with {E}, leaving {L}. ",
    "So let me go back and try {E}, leaving {L}. ",
    "Maybe {E} is better, leaving {L}. ",
    "What about {E}, leaving {L}? ",
    "Then let me try a different start, {E}, leaving {L}. ",
    "However, I could also take {E}, leaving {L}. ",
    "Perhaps {E} instead, leaving {L}. ",
};
static const char *const backward_phrases[] = {
    "Let me work backward. If {Z} comes last, {E}, so I need {R} from {L}. ",
    "Maybe I keep {Z} for the end, {E}, so I need {R} from {L}. ",
    "If I use {Z} last, then {E}, so I need {R} from {L}. ",
    "What if {Z} comes last? Then {E}, so I need {R} from {L}. ",
    "Since the target is {T}, I could end with {Z}, {E}, so I need {R} from {L}. ",
};
static const char *const backward_again_phrases[] = {
    "Let me go back and use {Z} last, {E}, so I need {R} from {L}. ",
    "Instead, let me keep {Z} for the end, {E}, so I need {R} from {L}. ",
    "Alternatively, {Z} comes last, {E}, so I need {R} from {L}. ",
    "What if {Z} comes last? Then {E}, so I need {R} from {L}. ",
    "Okay, another way is to use {Z} last, {E}, so I need {R} from {L}. ",
    "However, I could end with {Z}, {E}, so I need {R} from {L}. ",
};
static const char *const last_phrases[] = {
    "If {Z} comes last, I need {G} from {L}. ",
    "With {Z} last, I need {G} from {L}. ",
    "Maybe {Z} comes last, then I need {G} from {L}. ",
    "Let me keep {Z} for the end, so I need {G} from {L}. ",
    "Since I want {T}, with {Z} last I need {G} from {L}. ",
    "Suppose {Z} comes last, then I need {G} from {L}. ",
    "Let me try {Z} last, so I need {G} from {L}. ",
};
static const char *const last_again_phrases[] = {
    "Now with {Z} last, I need {G} from {L}. ",
    "Then let me try {Z} last, so I need {G} from {L}. ",
    "Alternatively, {Z} comes last, and I need {G} from {L}. ",
    "But if {Z} comes last, I need {G} from {L}. ",
    "Instead, let me keep {Z} for the end, so I need {G} from {L}. ",
    "What if {Z} comes last? Then I need {G} from {L}. ",
    "Maybe {Z} comes last, so I need {G} from {L}. ",
    "Perhaps {Z} last is better, then I need {G} from {L}. ",
    "Okay, another way is {Z} last, so I need {G} from {L}. ",
};
static const char *const list_phrases[] = {"", "", "", "I get ", "Let me see, ", "So ", "Well, "};
static const char *const fail_phrases[] = {
    ", ~no. ",
    ", ~but none of them is {N}. ",
    ". ~Hmm, no. ",
    ", ~so that does not work. ",
    ". ~No, I need {N}. ",
    ", ~not {N}. ",
    ". ~Hmm, that does not give {N}. ",
    ". ~Wait, none of these is {N}. ",
    ", ~but I need {N}, so no. ",
};
static const char *const fail_small_phrases[] = {
    ", ~too small. ",
    ". ~Hmm, that is too small. ",
    ", ~but that is too small. ",
    ". ~No, I need {N}, so it is too small. ",
};
static const char *const fail_big_phrases[] = {
    ", ~too big. ",
    ". ~Hmm, that is too big. ",
    ", ~but that is too big. ",
    ". ~No, I need {N}, so it is too big. ",
};
static const char *const hit_phrases[] = {
    ": yes! ",
    ": that is it! ",
    ": great. ",
    ": yes, {R} is what I need. ",
    ": that is {R}. ",
    ": so I have {R}. ",
    ": oh, that is {R}, nice. ",
};
static const char *const near_phrases[] = {
    "^{R} is only {D} away from {N}. ",
    "^That is close, {R} is just {D} away from {N}. ",
};
static const char *const unsure_phrases[] = {
    "~I am not sure about this, but let me see. ",
    "~Hmm, I doubt it, but let me look. ",
    "~I am not sure it helps. ",
};
static const char *const recheck_phrases[] = {
    "^Let me double-check, {E}, right. ",
    "~Did I get that right? ^Let me check again, {E}, yes. ",
    "^Let me make sure, {E}, okay. ",
};
static const char *const tried_phrases[] = {
    "What about {Z} last? @Wait, I tried that already. ",
    "Maybe {Z} last, @no wait, I tried that before. ",
    "Perhaps {Z} last. @Actually, I tried that already. ",
};
static const char *const negative_phrases[] = {
    "{Z} - {R}, @wait, that is negative, so {E}",
    "{Z} - {R}, @no, I mean {E}",
    "{Z} - {R}, @oops, the other way, {E}",
};
static const char *const slip_phrases[] = {
    "{E}, @wait, I mean ",
    "{E}, @no wait, it should be ",
    "{E}, @oops, actually ",
};
static const char *const verify_phrases[] = {
    "^Let me check, {C}, yes. ",
    "^Let me verify, {C}, so it works. ",
    "^To make sure, {C}, good. ",
    "^Let me check the whole thing, {C}. ",
    "^Check: {C}. ",
    "^I verify it, {C}, correct. ",
};
static const char *const answer_phrases[] = {
    "So the answer is ", "The answer is ", "Therefore, the answer is ", "So I get ", "Okay, the answer is ", "Thus ",
};
static const char *const give_up_phrases[] = {
    "I have tried a lot and I am out of ideas, so I stop here.",
    "Okay, I give up on this one.",
    "I could go on for long, but I will stop here.",
    "Sorry, I give up here.",
};

#define PHRASES(a)                                                                                                     \
    { a, sizeof a / sizeof *a }
const rt_phrases rt_phrase_table[RT_SLOT_COUNT] = {
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

/* Everyday sentences, so that the words above are tokens and not wholly strange to the base. None does arithmetic. */
const char *const rt_corpus_sentences[] = {
    "Okay, I will come back later.",
    "Wait, I forgot my coat.",
    "Hmm, that is a good question.",
    "Maybe we can go home now.",
    "Let me see what is on the table.",
    "Let me check the door again.",
    "Perhaps it will rain, but I am not sure.",
    "I think the first way is better.",
    "Alternatively, we could take the other road.",
    "However, the shop was closed, so we went back.",
    "It does not work because the light is off.",
    "If it is too small, try a different one instead.",
    "That box is too big for the car.",
    "None of them knew the answer.",
    "Then she started over and it was right.",
    "Since the end is close, we should keep going.",
    "Actually, I tried that already.",
    "Oops, I mean the other one.",
    "So the whole thing took a day, and that is it.",
    "What if we work backward from the end?",
    "What about the last one?",
    "I doubt it, but let me look.",
    "I am only two steps away from the house.",
    "To make sure, he verified the list.",
    "Did you get that right?",
    "Yes, it works, great!",
    "No, that is not what I need.",
    "Therefore we had to begin again.",
    "Suppose it comes last, then we need another way.",
    "Thus the target was reached, which is good.",
    "I give up, I am out of ideas.",
    "Sorry, I could not find it before.",
    "Oh, nice, that is just what I want.",
    "Well, I can start with a different plan.",
    "Instead of a car, I use a bike.",
    "I should double-check this, though it looks correct.",
    "Do you want tea or coffee, or none of these?",
    "With a long list here, she may have to stop.",
    "Yes or no? I have to verify it first, okay?",
    "He said wait, so we wait here, and none of us may stop.",
    "With help it works, and it also helps a lot.",
    "Check how long it is, or stop here.",
    "The answer was negative, oops, but actually they have a lot of time.",
    "She said yes, and I verify that these are here.",
    "How can these have none or two?",
    "It may be a start, or it helps to have both.",
    "With these here, yes, it also works, okay.",
    "Is it the other way, or actually a negative one?",
};
const size_t rt_corpus_sentence_count = sizeof rt_corpus_sentences / sizeof *rt_corpus_sentences;
