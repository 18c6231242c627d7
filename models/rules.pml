/* The findings of the review as switches.  Each gives back the rule as it was.  Without a
 * switch: the rule as it is, in the code as well.
 */

/* A1: stonith_admin --tolerance: a kill counts that by the clock is yet to come. */
#ifdef A1
#define counts_by_clock(x) future[x]
#define remember(x) history[x] = true
#else
#define counts_by_clock(x) false
#define remember(x) skip
#endif

/* A2, by hand: nobody looks at a side that must be shut.  agents/target: watch() */
#if defined(A2_HAND) || defined(A2_GROUP)
#define watched false
#else
#define watched true
#endif
/* A2, the port group: LIO's own is open, and what is absent counts as shut.
 * target/desired.py: tree_file(), agents/side: shut_all() */
#ifdef A2_GROUP
#define falls_open true
#define shuts_all(x) (!no_group[x])
#else
#define falls_open false
#define shuts_all(x) true
#endif

/* A4: the peer was lost when corosync-quorumtool failed; a view of before was good enough.
 * drbd/fence-peer: see(), settled() */
#ifdef A4
#define seems_lost(x) (!member[x] || mute[x])
#define heard(x) mute[x] = false
#define view_settled(x) true
#else
#define seems_lost(x) (!member[x])
#define heard(x) skip
#define view_settled(x) (!stale[x])
#endif

/* A5: who waits for whom. */
#define i12 (!spared(there, here))
#if defined(A5_TIE) /* where the side is open nowhere both wait equally long */
#define hold_is_over (i12 || nobody_is_first)
#elif defined(A5_LEVELS) /* HOLD counts one level of fencing; there are two */
#define hold_is_over (i12 || handler[there] == SHOT)
#else
#define hold_is_over i12
#endif
#ifdef A5_DISK /* nobody asks the own disk */
#define disk_asked(x) true
#else
#define disk_asked(x) (!hung[x])
#endif
#ifdef A5_OWN /* not as it was: "this resource's side first", for two volumes on two servers */
#define goes_first(x) (is_first(x) || open_by_order(x))
#else
#define goes_first(x) is_first(x)
#endif

/* A6: the handler has one life; or a second one only where the side is open. */
#if defined(A6)
#define reborn false
#elif defined(A6_SIDE)
#define reborn (side[here] == STARTED)
#else
#define reborn true
#endif

/* A9: the word of a power switch is enough. */
#ifdef A9
#define has_left(x) true
#else
#define has_left(x) departed[x]
#endif

/* M1, found by this model: a Secondary is promoted without its peer when that is killed. */
#if defined(M1)
#define may_promote_alone true
#elif defined(M1_HALF) /* only when the peer is not a member: half a mend */
#define may_promote_alone (!member[here])
#else
#define may_promote_alone false
#endif

/* LATE: a server boots and joins before its switch has said that it was killed. */
#ifdef LATE
#define boots_fast true
#define later_than_a_word true
#else
#define boots_fast false
#define later_than_a_word (kill[0] != DONE && kill[1] != DONE)
#endif
