#include "textflag.h"

// The method and the factors are explained in fold.go.

// STEP moves lane by the factors in by and adds the 16 bytes in next to it.
#define STEP(lane, by, next, tmp) \
	VPMULL2 by.D2, lane.D2, tmp.Q1;     \
	VPMULL  by.D1, lane.D1, lane.Q1;    \
	VEOR    next.B16, tmp.B16, tmp.B16; \
	VEOR    tmp.B16, lane.B16, lane.B16

// func fold(register uint64, p []byte) uint64
//
// R1 next byte, R2 bytes left, V0 the lane in the end.
TEXT ·fold(SB), NOSPLIT, $0-40
	FMOVD  register+0(FP), F4
	MOVD   p_base+8(FP), R1
	MOVD   p_len+16(FP), R2
	VLD1.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VEOR   V4.B16, V0.B16, V0.B16
	SUB    $64, R2
	CMP    $64, R2
	BLO    merge
	MOVD   $·foldBy512(SB), R3
	VLD1   (R3), [V4.D2]

loop:
	VLD1.P 64(R1), [V16.B16, V17.B16, V18.B16, V19.B16]
	STEP(V0, V4, V16, V20)
	STEP(V1, V4, V17, V21)
	STEP(V2, V4, V18, V22)
	STEP(V3, V4, V19, V23)
	SUB    $64, R2
	CMP    $64, R2
	BHS    loop

merge:
	MOVD $·foldLanes(SB), R3
	VLD1 (R3), [V4.D2, V5.D2, V6.D2]
	STEP(V2, V6, V3, V20)
	STEP(V1, V5, V2, V21)
	STEP(V0, V4, V1, V22)
	CMP  $16, R2
	BLO  reduce

blocks:
	VLD1.P 16(R1), [V16.B16]
	STEP(V0, V6, V16, V20)
	SUB    $16, R2
	CMP    $16, R2
	BHS    blocks

reduce:
	MOVD   $·foldBarrett(SB), R3
	VLD1   (R3), [V4.D1, V5.D1]
	VEOR   V7.B16, V7.B16, V7.B16
	VEXT   $8, V6.B16, V6.B16, V6.B16
	VPMULL V6.D1, V0.D1, V1.Q1        // LO·x^128
	VEXT   $8, V7.B16, V0.B16, V0.B16 // HI·x^64
	VEOR   V1.B16, V0.B16, V0.B16
	VPMULL V4.D1, V0.D1, V1.Q1        // low quadword: the quotient
	VPMULL V5.D1, V1.D1, V2.Q1        // quotient·P, less the top bit of P
	VEXT   $8, V1.B16, V7.B16, V1.B16 // quotient·that bit
	VEOR   V2.B16, V0.B16, V0.B16
	VEOR   V1.B16, V0.B16, V0.B16
	VMOV   V0.D[1], R0
	MOVD   R0, ret+32(FP)
	RET
