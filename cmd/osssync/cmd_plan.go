package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const planLong = `Write down what a sync, cp or mv would do, to be read, kept and carried out later.

  osssync plan [-o FILE] [--cost] sync SRC DST ...
  osssync plan [-o FILE] [--cost] cp [-r] SRC DST ...
  osssync plan [-o FILE] [--cost] mv [-r] SRC DST ...

A plan is lines of JSON: what it is of, an action for each object (put, get, copy,
delete, remove) with its reason and what was seen of both sides, and an end that says that it
is whole. "osssync apply FILE" does exactly that, and leaves alone what has changed
since. Nothing is transferred or deleted; the flags are those of the command that is
planned. Objects that need nothing are only counted.

With --cost the requests that the plan takes are counted by the class that the service
charges them as, and with --prices priced. PRICES is a JSON file of your own, since
prices differ by region, class and contract:

  {"currency": "CNY", "date": "2026-01-31", "put_per_10000": 0.01, "get_per_10000": 0.01}

Objects that a storage class charges more for than they have are told of in any case:
those below 64 KiB, and those replaced or deleted before 30 days (IA), 60 days
(Archive) or 180 days (ColdArchive, DeepColdArchive) are over.

Examples:
  osssync plan -o plan.jsonl sync photos oss://my-bucket/photos --delete
  osssync plan --prices prices.json sync photos oss://my-bucket/photos > plan.jsonl
  osssync apply plan.jsonl
`

// planFlags are those of plan, before the command that is planned.
type planFlags struct {
	output string
	cost   bool
	prices string
}

func newPlanCommand(a *app) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan [-o FILE] {sync|cp|mv} SRC DST",
		Short: "Write down what a sync, cp or mv would do",
		Long:  planLong + "\n" + exitHelp,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return &usageError{message: "no command to plan", hint: "osssync plan sync SRC DST", help: true}
		},
	}
	flags := cmd.PersistentFlags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "-", "write the plan to `FILE`; - is stdout")
	flags.BoolVar(&f.cost, "cost", false, "count the requests that it takes")
	flags.StringVar(&f.prices, "prices", "", "price them by the table in `PRICES`, a JSON file; includes --cost")
	for _, sub := range []*cobra.Command{newSyncCommand(a, &f), newCpCommand(a, &f), newMvCommand(a, &f)} {
		sub.Short = "Plan a " + sub.Name()
		sub.Long = "Write down what this would do; see: osssync help plan\n\n" + sub.Long
		cmd.AddCommand(sub)
	}
	return cmd
}

// writePlan makes the plan that to writes to the place where the flags want it,
// and says what it comes to. A file has it whole or not at all.
func (a *app) writePlan(s *service, f *planFlags, t task, to func(io.Writer) engineCall) error {
	if f.output == "-" && a.flags.json {
		return &usageError{message: "--json and the plan cannot both go to stdout", hint: "write the plan to a file with -o FILE"}
	}
	prices, err := readPrices(f.prices)
	if err != nil {
		return err
	}
	var w io.Writer = a.stdout
	var file *planOutput
	if f.output != "-" {
		if file, err = createPlan(f.output); err != nil {
			return err
		}
		defer file.discard()
		w = file
	}
	t.call = to(w)
	err = a.runJob(s, t)
	if a.outcome == nil || a.outcome.report.Plan == nil || err != nil && !errors.Is(err, transfer.ErrIncomplete) {
		return err
	}
	if file != nil {
		if err := file.keep(); err != nil {
			return err
		}
	}
	counts := a.outcome.report.Plan
	if f.cost || prices != nil {
		a.outcome.cost = prices.cost(counts)
	}
	if !a.flags.json && !a.flags.onlyErrors {
		io.WriteString(a.stderr, planText(counts, a.outcome.cost)) //nolint:errcheck // stderr may be closed
		if file != nil {
			fmt.Fprintf(a.stderr, "the plan is in %s; carry it out with: osssync apply %s\n", printable(f.output), quoteWord(f.output))
		}
	}
	return err
}

// planText is what a plan costs, in lines for a person.
func planText(p *transfer.PlanCounts, cost *costFields) string {
	var b strings.Builder
	if cost != nil {
		fmt.Fprintf(&b, "requests: about %d of the PUT class, %d of the GET class\n", p.PutRequests, p.GetRequests)
	}
	if cost != nil && cost.Amount != nil {
		amount := fmt.Sprintf("about %.2f", *cost.Amount)
		if *cost.Amount < 0.01 {
			amount = "under 0.01"
		}
		fmt.Fprintf(&b, "price: %s %s for requests, by %s of %s; storage and traffic are not counted\n", amount, oneLine(cost.Currency), printable(cost.Prices), oneLine(cost.Date))
	}
	for _, class := range storageClasses {
		c, least := p.Classes[class], transfer.MinimumOf(class)
		if c.Small > 0 {
			fmt.Fprintf(&b, "class %s: %s smaller than %s, and charged as that: %s more than they have\n", class, are(c.Small), size(least.Size), size(c.SmallBytes))
		}
		if c.Early > 0 {
			fmt.Fprintf(&b, "class %s: %s (%s) replaced or deleted before %d days are over, and charged to their end\n", class, are(c.Early), size(c.EarlyBytes), least.Time/(24*time.Hour))
		}
	}
	return b.String()
}

func are(n int64) string {
	if n == 1 {
		return "1 object is"
	}
	return fmt.Sprintf("%d objects are", n)
}

// planOutput is the file of a plan until it is whole. It has the name of a
// temporary file, which is no part of any tree.
type planOutput struct {
	*os.File
	name string
	kept bool
}

func createPlan(name string) (*planOutput, error) {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, &usageError{message: "--output " + printable(name) + " is not a regular file"}
	}
	var random [8]byte
	rand.Read(random[:]) //nolint:errcheck // it never fails
	temp := filepath.Join(filepath.Dir(name), ".osssync-"+hex.EncodeToString(random[:])+".part")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("--output %s: %w", printable(name), pathErr.Err)
	}
	return &planOutput{File: f, name: name}, err
}

// keep gives the file its name.
func (p *planOutput) keep() error {
	err := errors.Join(p.Sync(), p.Close())
	if err == nil {
		err = os.Rename(p.File.Name(), p.name)
	}
	p.kept = err == nil
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

// discard removes the file unless it was kept.
func (p *planOutput) discard() {
	if !p.kept {
		p.Close()                //nolint:errcheck // it is of no use
		os.Remove(p.File.Name()) //nolint:errcheck // a temporary file; gc finds it
	}
}
