package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/osssync/osssync/transfer"
)

// prices is a table of what requests cost, as a person keeps it in a file.
type prices struct {
	Currency string  `json:"currency"`
	Date     string  `json:"date"` // since when, or when it was looked up
	Note     string  `json:"note"` // for people only
	Put      float64 `json:"put_per_10000"`
	Get      float64 `json:"get_per_10000"`

	file string
}

// costFields are what a plan's requests come to.
type costFields struct {
	PutRequests int64    `json:"put_requests"`
	GetRequests int64    `json:"get_requests"`
	Amount      *float64 `json:"amount,omitempty"` // nil: no prices were given
	Currency    string   `json:"currency,omitempty"`
	Prices      string   `json:"prices,omitempty"`
	Date        string   `json:"date,omitempty"`
}

// readPrices reads a table; nil if there is none to read.
func readPrices(name string) (*prices, error) {
	if name == "" {
		return nil, nil
	}
	wrong := func(what string) error {
		return &usageError{message: fmt.Sprintf("--prices %s: %s", printable(name), oneLine(what)), hint: "see the form of the table with: osssync help plan"}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, wrong(err.Error())
	}
	defer f.Close()
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	p := prices{Put: math.NaN(), Get: math.NaN(), file: name}
	switch err := dec.Decode(&p); {
	case err != nil:
		return nil, wrong(err.Error())
	case p.Currency == "" || p.Date == "":
		return nil, wrong("no currency, or no date")
	case !(p.Put >= 0) || !(p.Get >= 0):
		return nil, wrong("put_per_10000 and get_per_10000 must be there, and not negative")
	}
	return &p, nil
}

// cost is what the requests of a plan come to. A nil table has no prices.
func (p *prices) cost(n *transfer.PlanCounts) *costFields {
	c := &costFields{PutRequests: n.PutRequests, GetRequests: n.GetRequests}
	if p != nil {
		c.Amount = new((float64(n.PutRequests)*p.Put + float64(n.GetRequests)*p.Get) / 10_000)
		c.Currency, c.Prices, c.Date = p.Currency, p.file, p.Date
	}
	return c
}
