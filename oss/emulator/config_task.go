package emulator

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const asyncFetchShape = `AsyncFetchTaskConfiguration{Url:text Object:text Host? ContentMD5? Callback? CallbackWhenFailed:bool? IgnoreSameKey:bool?}`

// putAsyncFetch accepts a task. The emulator fetches nothing from anywhere:
// the task's state is at once Failed.
func (rq *request) putAsyncFetch() error {
	doc, err := rq.readElement(asyncFetchShape)
	if err != nil {
		return err
	}
	if u, err := url.Parse(doc.get("Url")); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return failArgument("Url", doc.get("Url"), "The URL is not valid.")
	}
	key := doc.get("Object")
	if !validKey(key) {
		return fail("InvalidObjectName").with("ObjectName", key)
	}
	id := randomHex(16)
	doc.name = "TaskInfo"
	task := node("AsyncFetchTaskInfo", leaf("TaskId", id), leaf("State", "Failed"),
		leaf("ErrorMsg", "the emulator does not fetch from other servers"), doc)
	err = rq.updateConfig(func(tx *store.Tx) error {
		if doc.get("IgnoreSameKey") == "false" {
			if o, err := tx.Object(rq.bucket, key); err != nil {
				return err
			} else if o != nil {
				return fail("ObjectAlreadyExists").with("Key", key)
			}
		}
		return rq.putConfig(tx, "asyncFetch", id, task.bytes())
	})
	if err == nil {
		rq.writeElement(node("AsyncFetchTaskResult", leaf("TaskId", id)))
	}
	return err
}

func (rq *request) getAsyncFetch() error {
	id := rq.header("x-oss-task-id")
	var task *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		task, err = configDoc(tx, rq.bucket, "asyncFetch", id)
		return err
	})
	if err != nil {
		return err
	}
	if task == nil {
		return fail("NoSuchAsyncFetchTask").with("TaskId", id)
	}
	rq.writeElement(task)
	return nil
}

const (
	redundancyType = "x-oss-target-redundancy-type"
	redundancyTask = "x-oss-redundancy-transition-taskid"
)

// createRedundancyTransition accepts a task that stays queued until it is
// deleted: the service takes hours.
func (rq *request) createRedundancyTransition() error {
	target, id := rq.named(redundancyType), strings.ToLower(randomHex(16))
	if target != "ZRS" {
		return failArgument(redundancyType, target, "The target redundancy type must be ZRS.")
	}
	err := rq.updateConfig(func(tx *store.Tx) error {
		b, err := findBucket(tx, rq.bucket)
		if err != nil {
			return err
		}
		if b.Redundancy == target {
			return fail("InvalidTargetRedundancyType").with(redundancyType, target)
		}
		for c, err := range tx.Configs(rq.bucket, "redundancyTransition", "") {
			if err != nil {
				return err
			}
			return fail("BucketDataRedundancyTransitionTaskExist").with("TaskId", c.Name)
		}
		task := node("BucketDataRedundancyTransition", leaf("Bucket", rq.bucket), leaf("TaskId", id), leaf("Status", "Queueing"),
			leaf("CreateTime", timeText(rq.now)))
		return rq.putConfig(tx, "redundancyTransition", id, task.bytes())
	})
	if err == nil {
		rq.writeElement(node("BucketDataRedundancyTransition", leaf("TaskId", id)))
	}
	return err
}

// redundancyTransition reads the task that the request names.
func (rq *request) redundancyTransition(tx *store.Tx) (*element, error) {
	id := rq.named(redundancyTask)
	task, err := configDoc(tx, rq.bucket, "redundancyTransition", id)
	if err == nil && task == nil {
		err = fail("NoSuchBucketDataRedundancyTransition").with("TaskId", id)
	}
	return task, err
}

func (rq *request) getRedundancyTransition() error {
	var task *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		task, err = rq.redundancyTransition(tx)
		return err
	})
	if err == nil {
		rq.writeElement(task)
	}
	return err
}

func (rq *request) deleteRedundancyTransition() error {
	err := rq.updateConfig(func(tx *store.Tx) error {
		if _, err := rq.redundancyTransition(tx); err != nil {
			return err
		}
		return tx.DeleteConfig(rq.bucket, "redundancyTransition", rq.named(redundancyTask))
	})
	if err == nil {
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (rq *request) listRedundancyTransitions() error {
	out := node("ListBucketDataRedundancyTransition")
	err := rq.viewConfig(func(tx *store.Tx) error {
		for c, err := range tx.Configs(rq.bucket, "redundancyTransition", "") {
			if err != nil {
				return err
			}
			task, err := parseAnyDocument(c.Doc)
			if err != nil {
				return err
			}
			out.children = append(out.children, task)
		}
		return nil
	})
	if err == nil {
		rq.writeElement(out)
	}
	return err
}

// listAllRedundancyTransitions lists those of all buckets: a bucket has one at
// most, so that its name is the token.
func (rq *request) listAllRedundancyTransitions() error {
	out, token := node("ListBucketDataRedundancyTransition"), rq.param("continuation-token")
	tasks, next, err := rq.listAcrossBuckets("redundancyTransition", token, func(c *store.Config) (*element, error) {
		return parseAnyDocument(c.Doc)
	})
	if err != nil {
		return err
	}
	out.children = tasks
	rq.writePaged(out, token, next)
	return nil
}

// listAcrossBuckets reads a page of a family's documents of all buckets, in
// the order of their buckets and names.
func (rq *request) listAcrossBuckets(family, token string, show func(*store.Config) (*element, error)) (list []*element, next string, err error) {
	limit, err := rq.intParam("max-keys", 100, 1, 1000)
	if err != nil {
		return nil, "", err
	}
	bucket, name, _ := strings.Cut(token, "/")
	last := token
	err = rq.s.store.View(func(tx *store.Tx) error {
		for b, err := range tx.Buckets(bucket) {
			if err != nil {
				return err
			}
			for c, err := range tx.Configs(b.Name, family, "") {
				if err != nil {
					return err
				}
				if b.Name == bucket && c.Name <= name {
					continue
				}
				if len(list) == limit {
					next = last
					return nil
				}
				e, err := show(c)
				if err != nil {
					return err
				}
				list, last = append(list, e), b.Name+"/"+c.Name
			}
		}
		return nil
	})
	return list, next, err
}
