    /* What befalls a server, and people.  A fault costs one of the budget.  Its end costs nothing; it
     * may come at any time, and comes when nothing else can happen. */
#define fault(condition) budget > 0 && (condition) -> budget--

#ifndef MIRROR_ONLY
    :: d_step { fault(power[here] != OFF); falls(here);
        printf("FAULT: disk-%c loses its power\n", letter(here)) }
    :: d_step { fault(running); power[here] = PAUSED;
        printf("FAULT: disk-%c freezes as a whole\n", letter(here)) }
    :: d_step { power[here] == PAUSED -> power[here] = RUNS; stale[here] = true;
        printf("disk-%c wakes up\n", letter(here)) }
    :: d_step { fault(!cutM[here]); cutM[here] = true;
        printf("FAULT: disk-%c is cut from the management network\n", letter(here)) }
    :: d_step { cutM[here] -> cutM[here] = false;
        printf("disk-%c is back in the management network\n", letter(here)) }
    :: d_step { fault(running && !hung[here]); hung[here] = true;
        printf("FAULT: the disk of disk-%c hangs\n", letter(here)) }
    :: d_step { hung[here] -> hung[here] = false;
        printf("the disk of disk-%c answers again\n", letter(here)) }
    :: d_step { fault(switch_[here] == WORKS); switch_[here] = FAILS;
        printf("FAULT: the power switch of disk-%c does nothing and says so\n", letter(here)) }
    :: d_step { fault(switch_[here] == WORKS); switch_[here] = SLOW;
        printf("FAULT: the power switch of disk-%c says too late what it did\n", letter(here)) }
    :: d_step { fault(waits(here)); handler[here] = KILLED;
        printf("FAULT: somebody kills the handler on disk-%c\n", letter(here)) }
#ifndef A2_GROUP
    /* root: printf 0 > alua_access_state. */
    :: d_step { fault(running && primary[here] && !open[here] && !no_group[here]); open[here] = true;
        printf("FAULT: somebody opens the side of disk-%c by hand\n", letter(here)) }
#endif
    /* root: rmdir of the port group.  The LUN falls into LIO's own, default_tg_pt_gp, which is born
     * open: target/desired.py: tree_file() shuts that one first. */
    :: d_step { fault(running && primary[here] && !no_group[here]); no_group[here] = true;
        open[here] = falls_open;
        printf("FAULT: somebody removes the port group on disk-%c\n", letter(here)) }
    /* stonith_admin --confirm, by a person who has seen that the other one is off. */
    :: d_step { running && power[there] == OFF && !member[here] && kill[there] == 0 &&
            switch_[there] != WORKS && !(counts[here] && dead[here]) ->
        counts[here] = true; dead[here] = true;
        printf("a person confirms that disk-%c is off\n", letter(there)) }
#endif
#ifdef LIAR
    :: d_step { fault(switch_[here] == WORKS && switch_[there] == WORKS); switch_[here] = LIES;
        printf("FAULT: the power switch of disk-%c lies\n", letter(here)) }
#endif
    :: d_step { switch_[here] == FAILS || switch_[here] == SLOW -> switch_[here] = WORKS;
        printf("the power switch of disk-%c works again\n", letter(here)) }
#ifdef A1
    /* The clock was an hour fast when the kill of before was written down, and is put right. */
    :: d_step { fault(running && history[here] && !future[here]); future[here] = true;
        printf("FAULT: the clock of disk-%c steps back\n", letter(here)) }
#endif
#ifdef A4
    :: d_step { fault(running && waits(here) && !mute[here]); mute[here] = true;
        printf("FAULT: corosync-quorumtool on disk-%c fails once\n", letter(here)) }
#endif

    /* ASSUMED: to boot and to join takes longer than a switch that works takes to say what it did
     * (cluster/cib.py: fence_timeouts(); pcmk_reboot_timeout bounds it). */
    :: d_step { power[here] == OFF && ends(here + 1) && (boots_fast || kill[here] != DONE || power[there] != RUNS) ->
        power[here] = RUNS; printf("disk-%c boots\n", letter(here)) }

    /* cluster/cib.py: _fence().  The power switch of the other one, driven by a fence agent here; it
     * never runs on the server that it kills. */
    :: d_step { running && kill[there] == ORDERED && !cutM[here] && switch_[there] != FAILS ->
        kill[there] = DONE;
        if
        :: switch_[there] == LIES -> printf("the power switch of disk-%c does nothing\n", letter(there))
        :: switch_[there] != LIES && power[there] != OFF ->
            falls(there); printf("the power switch kills disk-%c\n", letter(there))
        :: else -> printf("the power switch finds disk-%c off\n", letter(there))
        fi }
    /* cluster/cib.py: fence_timeouts().  The switch says that it has not, or says nothing in time. */
    :: d_step { running && kill[there] == ORDERED && (cutM[here] || switch_[there] == FAILS) ->
        failed(here); printf("disk-%c cannot kill disk-%c\n", letter(here), letter(there)) }
    :: d_step { running && kill[there] == DONE && switch_[there] == SLOW ->
        failed(here); printf("disk-%c is told too late what the power switch did\n", letter(here)) }
    /* drbd/fence-peer: known().  What was under way when the note was made does not count. */
    :: d_step { running && kill[there] == DONE && switch_[there] != SLOW ->
        if :: !old[there] -> counts[here] = true :: else fi;
        kill[there] = 0; old[there] = false; dead[here] = true; remember(here);
        if :: handler[here] == SHOT -> handler[here] = HIT :: else fi;
        printf("disk-%c is told that disk-%c was killed\n", letter(here), letter(there)) }
