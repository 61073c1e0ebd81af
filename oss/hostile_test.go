package oss_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// TestEveryCallRefusesADocument calls every method of Client and Bucket with an
// answer of status 200 and a request id whose body is an error of the service,
// a page or another call's document. None may take it for success.
func TestEveryCallRefusesADocument(t *testing.T) {
	for name, body := range map[string]string{
		"error":   "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>m</Message></Error>",
		"page":    "<!DOCTYPE html>\n<html><body>Log in<br></body></html>",
		"foreign": "\xef\xbb\xbf<?xml version=\"1.0\"?><Foreign><Status>OK</Status></Foreign>",
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			transport := answerer(func(r *http.Request) (*http.Response, error) {
				calls++
				if r.Body != nil {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return nil, err
					}
				}
				if r.Method == http.MethodHead {
					return answer(http.StatusOK, "", "X-Oss-Request-Id: id"), nil
				}
				return answer(http.StatusOK, body, "X-Oss-Request-Id: id"), nil
			})
			b := bucketOf(t, transport)
			asked := 0
			for _, v := range []reflect.Value{reflect.ValueOf(b.Client()), reflect.ValueOf(b)} {
				for m := range v.Type().Methods() {
					if documentsAreFine[m.Name] {
						continue
					}
					calls = 0
					err, ok := hostileCall(t, v, m.Name)
					switch {
					case calls == 0 && err == nil:
						continue // it sends nothing
					case !ok:
						t.Errorf("%s has no error to return", m.Name)
					case calls == 0:
						t.Errorf("%s: no request, but %v", m.Name, err)
					case errors.As(err, new(*oss.ServerError)), errors.As(err, new(*oss.AnswerError)):
						asked++
					default:
						t.Errorf("%s: %v", m.Name, err)
					}
				}
			}
			if asked < 150 {
				t.Errorf("only %d calls were tried", asked)
			}
		})
	}
}

// documentsAreFine are the calls whose answer's body is the user's, or that
// have none since they send HEAD.
var documentsAreFine = map[string]bool{
	"GetObject": true, "GetObjectToFile": true, "GetObjectWithURL": true, "GetObjectWithURLToFile": true,
	"HeadObject": true, "GetObjectMeta": true, "ObjectExists": true, "BucketExists": true, "HeadBucket": true, "HeadObjectWithURL": true,
}

// hostileCall calls the method with made-up arguments, and gives the error that
// it returns or yields.
func hostileCall(t *testing.T, v reflect.Value, name string) (error, bool) {
	fn := v.MethodByName(name)
	root := "A"
	for {
		out := fn.Call(madeUp(t, name, fn.Type(), root))
		if len(out) == 0 {
			return nil, false
		}
		last := out[len(out)-1]
		err, ok := error(nil), false
		switch {
		case last.Type() == reflect.TypeFor[error]():
			err, _ = last.Interface().(error)
			if body := reflect.Indirect(out[0]); err == nil && body.Kind() == reflect.Struct && body.FieldByName("Body").IsValid() {
				if r, isReader := body.FieldByName("Body").Interface().(io.ReadCloser); isReader {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
			}
			ok = true
		case last.Kind() == reflect.Func && last.Type().NumIn() == 1 && last.Type().NumOut() == 0:
			yield := func(in []reflect.Value) []reflect.Value {
				err, _ = in[len(in)-1].Interface().(error)
				return []reflect.Value{reflect.ValueOf(err == nil)}
			}
			last.Call([]reflect.Value{reflect.MakeFunc(last.Type().In(0), yield)})
			ok = true
		}
		// A document must have the right root, which the refusal names.
		if want := wantedRoot.FindStringSubmatch(errorText(err)); want != nil && root == "A" {
			root = want[1]
			continue
		}
		return err, ok
	}
}

var wantedRoot = regexp.MustCompile(`want XML of (\w+), not of`)

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func madeUp(t *testing.T, name string, fn reflect.Type, root string) []reflect.Value {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("some data"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := fn.NumIn()
	if fn.IsVariadic() {
		n--
	}
	var args []reflect.Value
	texts := 0
	for i := range n {
		in := fn.In(i)
		var v any
		switch in {
		case reflect.TypeFor[context.Context]():
			v = t.Context()
		case reflect.TypeFor[io.Reader]():
			v = strings.NewReader("some data")
		case reflect.TypeFor[oss.Document]():
			v = oss.RawXML("<" + root + "><Id>id</Id></" + root + ">")
		case reflect.TypeFor[[]string]():
			v = []string{"key"}
		case reflect.TypeFor[[]oss.Part]():
			v = []oss.Part{{Number: 1, ETag: "x"}}
		case reflect.TypeFor[[]oss.ObjectVersion]():
			v = []oss.ObjectVersion{{Key: "key"}}
		case reflect.TypeFor[time.Duration]():
			v = time.Hour
		case reflect.TypeFor[time.Time]():
			v = time.Unix(1_700_000_000+int64(i), 0)
		default:
			switch in.Kind() {
			case reflect.String:
				texts++
				v = "examplebucket"
				switch {
				case strings.Contains(name, "WithURL") && texts == 1:
					v = "http://127.0.0.1/examplebucket/key?Expires=1&Signature=x"
				case strings.Contains(name, "File") && texts == 2:
					v = file
				}
			case reflect.Int, reflect.Int64:
				v = 1
			}
		}
		if v == nil {
			args = append(args, reflect.Zero(in))
			continue
		}
		args = append(args, reflect.ValueOf(v).Convert(in))
	}
	return args
}
