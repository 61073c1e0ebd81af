#include "textflag.h"

// The method and the factors are explained in fold.go.
//
// Both functions: SI next byte, CX bytes left, X0 the lane in the end.

// STEP moves lane by the factors in by and adds the 16 bytes in next to it.
#define STEP(lane, by, next, tmp) \
	MOVOA     lane, tmp;      \
	PCLMULQDQ $0x00, by, lane; \
	PCLMULQDQ $0x11, by, tmp; \
	PXOR      next, lane;     \
	PXOR      tmp, lane

// WIDESTEP is STEP on four lanes at once; next may be in memory.
#define WIDESTEP(lanes, by, next, tmp) \
	VPCLMULQDQ $0x11, by, lanes, tmp;   \
	VPCLMULQDQ $0x00, by, lanes, lanes; \
	VPTERNLOGQ $0x96, next, tmp, lanes

// FINISH folds what is left of the message, less than 64 bytes, into X0,
// reduces X0 to 64 bits and returns them.
#define FINISH(result) \
	MOVOU     ·foldLanes+32(SB), X4; \
	CMPQ      CX, $16;               \
	JB        reduce;                \
blocks: \
	MOVOU     (SI), X5;              \
	STEP(X0, X4, X5, X6);            \
	ADDQ      $16, SI;               \
	SUBQ      $16, CX;               \
	CMPQ      CX, $16;               \
	JAE       blocks;                \
reduce: \
	MOVOU     ·foldBarrett(SB), X5;  \
	MOVOA     X0, X1;                \
	PCLMULQDQ $0x10, X4, X0;         \ // LO·x^128
	PSRLDQ    $8, X1;                \ // HI·x^64
	PXOR      X1, X0;                \
	MOVOA     X0, X1;                \
	PCLMULQDQ $0x00, X5, X1;         \ // low quadword: the quotient
	MOVOA     X1, X2;                \
	PCLMULQDQ $0x10, X5, X2;         \ // quotient·P, less the top bit of P
	PSLLDQ    $8, X1;                \ // quotient·that bit
	PXOR      X2, X0;                \
	PXOR      X1, X0;                \
	PSRLDQ    $8, X0;                \
	MOVQ      X0, AX;                \
	MOVQ      AX, result

// func foldSSE(register uint64, p []byte) uint64
TEXT ·foldSSE(SB), NOSPLIT, $0-40
	MOVQ  register+0(FP), X4
	MOVQ  p_base+8(FP), SI
	MOVQ  p_len+16(FP), CX
	MOVOU 0(SI), X0
	MOVOU 16(SI), X1
	MOVOU 32(SI), X2
	MOVOU 48(SI), X3
	PXOR  X4, X0
	ADDQ  $64, SI
	SUBQ  $64, CX
	CMPQ  CX, $64
	JB    merge
	MOVOU ·foldBy512(SB), X4

loop:
	MOVOU 0(SI), X5
	MOVOU 16(SI), X6
	MOVOU 32(SI), X7
	MOVOU 48(SI), X8
	STEP(X0, X4, X5, X9)
	STEP(X1, X4, X6, X10)
	STEP(X2, X4, X7, X11)
	STEP(X3, X4, X8, X12)
	ADDQ  $64, SI
	SUBQ  $64, CX
	CMPQ  CX, $64
	JAE   loop

merge:
	MOVOU ·foldLanes+0(SB), X4
	MOVOU ·foldLanes+16(SB), X5
	MOVOU ·foldLanes+32(SB), X6
	STEP(X2, X6, X3, X9)
	STEP(X1, X5, X2, X10)
	STEP(X0, X4, X1, X11)
	FINISH(ret+32(FP))
	RET

// func foldAVX512(register uint64, p []byte) uint64
TEXT ·foldAVX512(SB), NOSPLIT, $0-40
	MOVQ            p_base+8(FP), SI
	MOVQ            p_len+16(FP), CX
	VMOVQ           register+0(FP), X4
	VPXORQ          0(SI), Z4, Z0
	VMOVDQU64       64(SI), Z1
	VMOVDQU64       128(SI), Z2
	VMOVDQU64       192(SI), Z3
	VBROADCASTI32X4 ·foldBy2048(SB), Z4
	VBROADCASTI32X4 ·foldBy512(SB), Z5
	VMOVDQU64       ·foldLanes(SB), Z6
	ADDQ            $256, SI
	SUBQ            $256, CX
	CMPQ            CX, $256
	JB              merge

loop:
	WIDESTEP(Z0, Z4, 0(SI), Z8)
	WIDESTEP(Z1, Z4, 64(SI), Z9)
	WIDESTEP(Z2, Z4, 128(SI), Z10)
	WIDESTEP(Z3, Z4, 192(SI), Z11)
	ADDQ $256, SI
	SUBQ $256, CX
	CMPQ CX, $256
	JAE  loop

merge:
	WIDESTEP(Z0, Z5, Z1, Z8)
	WIDESTEP(Z0, Z5, Z2, Z8)
	WIDESTEP(Z0, Z5, Z3, Z8)
	CMPQ CX, $64
	JB   lanes

vectors:
	WIDESTEP(Z0, Z5, 0(SI), Z8)
	ADDQ $64, SI
	SUBQ $64, CX
	CMPQ CX, $64
	JAE  vectors

lanes:
	VEXTRACTI32X4 $3, Z0, X3
	VPCLMULQDQ    $0x11, Z6, Z0, Z1
	VPCLMULQDQ    $0x00, Z6, Z0, Z0
	VPXORQ        Z1, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPXOR         Y1, Y0, Y0
	VEXTRACTI128  $1, Y0, X1
	VPXOR         X1, X0, X0
	VPXOR         X3, X0, X0
	VZEROUPPER
	FINISH(ret+32(FP))
	RET
