package lister_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// layout is a distribution of keys.
type layout struct {
	name string
	keys func(n int) []string
}

var layouts = []layout{
	{"flat numbers", func(n int) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf("img-%08d.jpg", i))
		}
		return keys
	}},
	{"flat hashes", func(n int) (keys []string) {
		for i := range n {
			sum := sha256.Sum256(fmt.Append(nil, i))
			keys = append(keys, fmt.Sprintf("%x", sum[:16]))
		}
		return keys
	}},
	{"dates", func(n int) (keys []string) {
		day := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range n {
			at := day.Add(time.Duration(i) * 7 * time.Minute)
			keys = append(keys, at.Format("logs/2006/01/02/15-04")+fmt.Sprintf("-%04x.gz", i*7919%65536))
		}
		return keys
	}},
	{"deep", func(n int) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf("%d/%d/%d/%d/%d/%d/%d", i/64000, i/8000%8, i/1000%8, i/100%10, i/10%10, i%10, i*31%97))
		}
		return keys
	}},
	{"folders of 1500", func(n int) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf("folder-%04d/file-%05d", i/1500, i%1500))
		}
		return keys
	}},
	{"folders of 10000", func(n int) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf("folder-%03d/file-%06d", i/10000, i%10000))
		}
		return keys
	}},
	{"skewed folders", func(n int) (keys []string) {
		r := rand.New(rand.NewPCG(1, 1))
		for i := 0; len(keys) < n; i++ {
			for j := range 1 << r.IntN(17) {
				keys = append(keys, fmt.Sprintf("%s-%d/%d", []string{"tmp", "users", "a", "Videos", "zz"}[i%5], i, j))
			}
		}
		return keys[:n]
	}},
	{"words", func(n int) (keys []string) {
		r := rand.New(rand.NewPCG(2, 2))
		syllables := strings.Fields("ba be bi bo ka ki ko lu ma me mo na ne nu pa po ra ri sa se ta tu wa zo")
		for range n {
			var b strings.Builder
			for range 2 + r.IntN(6) {
				b.WriteString(syllables[int(float64(len(syllables))*r.Float64()*r.Float64())])
			}
			keys = append(keys, b.String()+fmt.Sprint(r.IntN(1e6)))
		}
		return keys
	}},
	{"UTF-8", func(n int) (keys []string) {
		r := rand.New(rand.NewPCG(3, 3))
		for range n {
			b := []rune("资料/")
			for range 2 + r.IntN(6) {
				b = append(b, []rune{'一' + rune(r.IntN(20000)), 'а' + rune(r.IntN(32)), '😀' + rune(r.IntN(60)), 'a' + rune(r.IntN(26))}[r.IntN(4)])
			}
			keys = append(keys, string(b))
		}
		return keys
	}},
	{"one prefix of 900 bytes", func(n int) (keys []string) {
		p := strings.Repeat("abcdefghé", 90)
		for i := range n {
			keys = append(keys, p+fmt.Sprintf("%07d", i*3))
		}
		return keys
	}},
	{"one cluster in a wide space", func(n int) (keys []string) {
		for i := range n {
			switch {
			case i < n/100: // 1 % all over
				sum := sha256.Sum256(fmt.Append(nil, i))
				keys = append(keys, fmt.Sprintf("%x", sum[:16]))
			default:
				keys = append(keys, fmt.Sprintf("7777777777777777%09x", i))
			}
		}
		return keys
	}},
	{"geometric", func(n int) (keys []string) { // each scale as full as the ones above together
		r := rand.New(rand.NewPCG(4, 4))
		for range n {
			b := make([]byte, 0, 24)
			for len(b) < 16 && r.IntN(2) == 0 {
				b = append(b, '0')
			}
			for range 8 {
				b = append(b, "0123456789abcdef"[r.IntN(16)])
			}
			keys = append(keys, string(b))
		}
		return keys
	}},
	{"zeros before zeros", func(n int) (keys []string) { // which are mostly zeros, as many as chance will have it
		r := rand.New(rand.NewPCG(5, 5))
		for range n {
			keys = append(keys, strings.Repeat("0", min(r.IntN(1<<16)&-r.IntN(1<<16)%24+r.IntN(4), 40))+fmt.Sprintf("%08x", r.Uint32()))
		}
		return keys
	}},
}

func (l layout) sorted(n int) []string {
	keys := l.keys(n)
	slices.Sort(keys)
	return slices.Compact(keys)
}
