#pragma once

namespace magpie::cluster {

/// The rules of a shard's safety (cluster-rules.md of the design) that a test can switch off, to show that it would
/// notice. In production all hold.
struct Rules {
  bool proof_of_death = true;       // R1
  bool silence = true;              // R2
  bool settling = true;             // R3
  bool joint_isr = true;            // R4
  bool patient_shrink = true;  // R4, as amended: docs/decisions/0014-isolated-leader.md
  bool identity = true;             // R5
  bool pre_vote = true;             // R7
  bool unapplied_limit = true;      // R9
  bool drain_before_hand_over = true;  // R11
  bool discard_only_outside = true;    // R12
  bool semi_quorum = true;          // R21
  bool sole_member_fence = true;    // R23
  bool all_dead_only = true;        // R24
  bool stuck_leader = true;         // R25
  bool arbiter_from_past = true;    // R26
};

}  // namespace magpie::cluster
