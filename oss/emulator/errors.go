package emulator

import (
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
)

// apiError is an error answer. Handlers return one; any other error becomes
// InternalError.
type apiError struct {
	status        int
	code, ec, msg string
	extra         []sign.Param // further elements, in order
	header        []sign.Param // further headers
}

func (e *apiError) Error() string { return e.code + ": " + e.msg }

// with adds an element to the answer's document.
func (e *apiError) with(name, value string) *apiError {
	e.extra = append(e.extra, sign.Param{Name: name, Value: value})
	return e
}

func (e *apiError) withHeader(name, value string) *apiError {
	e.header = append(e.header, sign.Param{Name: name, Value: value})
	return e
}

// withEC replaces the code's usual EC, where the operation has one of its own.
func (e *apiError) withEC(ec string) *apiError {
	e.ec = ec
	return e
}

// fail makes the error answer of a code in the table.
func fail(code string) *apiError {
	k, ok := errorTable[code]
	if !ok {
		k = errorTable["InternalError"]
	}
	return &apiError{status: k.status, code: code, ec: k.ec, msg: k.msg}
}

// failArgument is InvalidArgument with the argument's name and value.
func failArgument(name, value, msg string) *apiError {
	e := fail("InvalidArgument").with("ArgumentName", name).with("ArgumentValue", value)
	e.msg = msg
	return e
}

// errorTable has every code the server answers with.
var errorTable = map[string]struct {
	status  int
	ec, msg string
}{
	"AccessDenied":                             {403, "0003-00000001", "You have no right to access this object because of bucket acl."},
	"AccessForbidden":                          {403, "", "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."},
	"AccessPointAlreadyExists":                 {409, "", "The access point already exists."},
	"AccessPointForObjectProcessAlreadyExists": {409, "", "The access point for object processing already exists."},
	"AccessMonitorDisableNotAllowed":           {400, "", "A lifecycle rule goes by access times."},
	"BucketAlreadyExists":                      {409, "0015-00000104", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."},
	"BucketCallbackPolicyNotExist":             {404, "", "The bucket callback policy does not exist."},
	"BucketDataRedundancyTransitionTaskExist":  {409, "", "The bucket has a redundancy transition task already."},
	"BucketNotEmpty":                           {409, "0015-00000301", "The bucket has objects. Please delete them first."},
	"BucketReplicationAlreadyExist":            {400, "", "The replication to this target exists already."},
	"CallbackFailed":                           {203, "0007-00000203", "The object is stored, but the callback failed."},
	"CnameAlreadyExists":                       {409, "", "The domain is bound to another bucket."},
	"CnameTokenNotFound":                       {404, "", "There is no token for the domain."},
	"EntityTooLarge":                           {400, "", "Your proposed upload exceeds the maximum allowed object size."},
	"EntityTooSmall":                           {400, "0042-00000213", "Your proposed upload smaller than the minimum allowed size."},
	"FieldItemTooLong":                         {400, "", "A field of the form is too long."},
	"FileAlreadyExists":                        {409, "", "The object you specified already exists and can not be overwritten."},
	"NoSuchObjectRetention":                    {404, "", "The object has no retention."},
	"NoSuchObjectWormConfiguration":            {404, "", "The bucket has no object WORM configuration."},
	"FileImmutable":                            {409, "", "The object is under retention and can not be changed."},
	"IncorrectNumberOfFilesInPOSTRequest":      {400, "", "A form must have exactly one file."},
	"InternalError":                            {500, "", "We encountered an internal error. Please try again."},
	"InvalidAccessKeyId":                       {403, "0002-00000902", "The OSS Access Key Id you provided does not exist in our records."},
	"InvalidArgument":                          {400, "", "Invalid argument."},
	"InvalidBucketName":                        {400, "", "The specified bucket is not valid."},
	"InvalidDigest":                            {400, "", "The Content-MD5 you specified was invalid."},
	"InvalidEncryptionAlgorithmError":          {400, "", "The Encryption request you specified is not valid. Supported value: AES256/KMS/SM4."},
	"InvalidLocationConstraint":                {400, "", "The specified location-constraint is not valid."},
	"InvalidObjectName":                        {400, "", "The specified object is not valid."},
	"InvalidPart":                              {400, "", "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."},
	"InvalidPartOrder":                         {400, "0042-00000209", "The list of parts was not in ascending order. Parts list must specified in order by part number."},
	"InvalidPolicyDocument":                    {400, "", "The policy document is not valid."},
	"InvalidRange":                             {416, "", "The requested range cannot be satisfied."},
	"InvalidRequest":                           {400, "", "The request is not valid."},
	"InvalidMaxSkippedRecordsAllowed":          {400, "0016-00000834", "MaxSkippedRecordsAllowed is not a number from 0 on."},
	"InvalidSelectRange":                       {400, "", "The range is not of the form line-range=a-b, split-range=a-b or bytes=a-b."},
	"Imm Client":                               {400, "", "ResourceNotFound, The specified resource Attachment is not found."},
	"NoSuchDataPipeline":                       {404, "", "The specified resource dataPipeline is not found."},
	"InvalidSecurityToken":                     {403, "0002-00000903", "The security token you provided is invalid."},
	"SecurityTokenExpired":                     {403, "0002-00000904", "The security token you provided has expired."},
	"UserDisable":                              {403, "0003-00000801", "UserDisable"},
	"InvalidTag":                               {400, "", "The tag you provided is not valid."},
	"InvalidTargetBucketForLogging":            {400, "", "put bucket log requester is not target bucket owner."},
	"InvalidTargetRedundancyType":              {400, "", "The bucket has the target redundancy type already."},
	"InvalidTargetType":                        {400, "0026-00000011", "The symbolic's target file type is invalid."},
	"InvalidWORMConfiguration":                 {400, "", "The WORM configuration is not valid."},
	"MalformedPOSTRequest":                     {400, "0006-00000104", "The body of your POST request is not well-formed multipart/form-data."},
	"MalformedXML":                             {400, "", "The XML you provided was not well-formed or did not validate against our published schema."},
	"MetaQueryAlreadyExist":                    {409, "", "The metadata index of the bucket exists already."},
	"MetaQueryNotExist":                        {404, "", "The bucket has no metadata index."},
	"MethodNotAllowed":                         {405, "", "The specified method is not allowed against this resource."},
	"MissingArgument":                          {400, "", "Missing Some Required Arguments."},
	"MissingContentLength":                     {411, "", "You must provide the Content-Length HTTP header."},
	"NeedVerifyDomainOwnership":                {403, "0018-00000115", "The ownership of the domain has to be verified."},
	"NoSuchAccessPoint":                        {404, "", "Accesspoint not found"},
	"NoSuchAccessPointForObjectProcess":        {404, "", "The specified access point for object processing does not exist."},
	"NoSuchAccessPointPolicy":                  {404, "", "The access point has no policy."},
	"NoSuchAsyncFetchTask":                     {404, "", "The specified task does not exist."},
	"NoSuchBucket":                             {404, "0015-00000101", "The specified bucket does not exist."},
	"NoSuchBucketDataRedundancyTransition":     {404, "", "The specified redundancy transition task does not exist."},
	"NoSuchBucketOverwriteConfig":              {404, "", "The bucket has no overwrite configuration."},
	"NoSuchBucketPolicy":                       {404, "", "The bucket policy does not exist."},
	"NoSuchBucketQosInfo":                      {404, "", "The bucket has no QoS configuration."},
	"NoSuchBucketResponseHeader":               {404, "", "The bucket has no response header configuration."},
	"NoSuchBucketStorageQuota":                 {404, "", "The bucket has no storage quota."},
	"NoSuchCORSConfiguration":                  {404, "", "The CORS Configuration does not exist."},
	"NoSuchInventory":                          {404, "", "The specified inventory does not exist."},
	"NoSuchKey":                                {404, "0026-00000001", "The specified key does not exist."},
	"NoSuchLifecycle":                          {404, "", "No Row found in Lifecycle Table."},
	"NoSuchLiveChannel":                        {404, "", "The specified live channel does not exist."},
	"NoSuchRegion":                             {404, "", "The specified region does not exist."},
	"NoSuchReplicationRule":                    {404, "", "The specified replication rule does not exist."},
	"NoSuchRequesterQosInfo":                   {404, "", "The requester has no QoS configuration."},
	"NoSuchResourcePool":                       {404, "", "The specified resource pool does not exist."},
	"NoSuchServerSideEncryptionRule":           {404, "", "The server side encryption configuration was not found."},
	"NoSuchStyle":                              {404, "", "The specified style does not exist."},
	"NoSuchTransferAccelerationConfiguration":  {404, "", "The transfer acceleration configuration does not exist."},
	"NoSuchUpload":                             {404, "0042-00000002", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."},
	"NoSuchUserDefinedLogFieldsConfig":         {404, "", "The bucket has no configuration of log fields."},
	"NoSuchVersion":                            {404, "", "The specified version does not exist."},
	"NoSuchWORMConfiguration":                  {404, "", "The WORM configuration does not exist."},
	"NoSuchWebsiteConfiguration":               {404, "", "The specified bucket does not have a website configuration."},
	"NotImplemented":                           {501, "", "A header or parameter you provided implies functionality that is not implemented."},
	"NotSymlink":                               {400, "", "The object is not a symlink."},
	"ArchiveRestoreFileStale":                  {409, "", "The object has not been restored."},
	"ArchiveRestoreNotFinished":                {409, "0016-00000719", "The archive file's restore is not finished."},
	"InvalidObjectState":                       {403, "0016-00000701", "The operation is not valid for the object's state"},
	"ObjectIsSealed":                           {409, "", "The object is sealed."},
	"OperationNotSupported":                    {400, "0016-00000702", "The operation is not supported for this resource"},
	"RestoreAlreadyInProgress":                 {409, "0016-00000719", "The restore operation is in progress."},
	"ObjectAlreadyExists":                      {400, "", "The object exists already."},
	"ObjectNotAppendable":                      {409, "", "The object is not appendable."},
	"PartNotSequential":                        {400, "", "The parts of a sequential upload must be sent in order."},
	"PositionNotEqualToLength":                 {409, "0026-00000016", "Position is not equal to file length"},
	"PreconditionFailed":                       {412, "", "At least one of the pre-conditions you specified did not hold."},
	"RequestIsNotMultiPartContent":             {400, "", "Bucket POST must be of the enclosure-type multipart/form-data"},
	"RequestTimeout":                           {400, "", "Your socket connection to the server was not read from or written to within the timeout period."},
	"ResourceGroupIdPreCheckError":             {400, "0039-00000003", "The resource group id precheck error"},
	"ServiceUnavailable":                       {503, "", "The server is closing."},
	"SymlinkTargetNotExist":                    {404, "", "The symbolic's target does not exist."},
	"TooManyBuckets":                           {400, "", "You have attempted to create more buckets than allowed."},
	"WORMConfigurationLocked":                  {403, "", "The WORM configuration is locked."},
}

// notModified is the answer of a condition that spares the body.
var errNotModified = &apiError{status: http.StatusNotModified, code: "NotModified"}

// fromSign turns a refusal of the signature into an answer.
func fromSign(e *sign.Error) *apiError {
	return &apiError{status: e.Status, code: e.Code, ec: e.EC, msg: e.Message, extra: e.Extra}
}

// writeError answers with e, unless the answer has already begun.
func (rq *request) writeError(e *apiError) {
	rq.code = e.code
	if rq.w.status != 0 {
		return
	}
	h := rq.w.Header()
	for _, p := range e.header {
		h.Set(p.Name, p.Value)
	}
	if e.status == http.StatusNotModified {
		rq.w.WriteHeader(e.status)
		return
	}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Range", "Accept-Ranges", "x-oss-hash-crc64ecma"} {
		h.Del(name)
	}
	var d document
	d.open("Error")
	d.text("Code", e.code)
	d.text("Message", e.msg)
	d.text("RequestId", rq.id)
	d.text("HostId", rq.r.Host)
	for _, p := range e.extra {
		d.text(p.Name, p.Value)
	}
	if e.ec != "" {
		d.text("EC", e.ec)
		h.Set("x-oss-ec", e.ec)
	}
	d.close("Error")
	if rq.r.Method == http.MethodHead {
		h.Set("x-oss-err", base64.StdEncoding.EncodeToString(append([]byte(prolog), d.b...)))
		rq.w.WriteHeader(e.status)
		return
	}
	rq.writeDocument(e.status, &d)
}

// minTimed is the least a document has that its client is timed reading, in
// bytes; what is smaller fits into the socket's buffer.
const minTimed = 16 << 10

// writeDocument answers with an XML body.
func (rq *request) writeDocument(status int, d *document) {
	if rq.staged != nil {
		d.b = rq.staged.spoilDocument(d.b)
	}
	h := rq.w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(prolog)+len(d.b)))
	if len(d.b) > minTimed {
		ctl := http.NewResponseController(rq.w.ResponseWriter)
		_ = ctl.SetWriteDeadline(time.Now().Add(writeIdle)) // not every ResponseWriter has deadlines
		defer func() { _ = ctl.SetWriteDeadline(time.Time{}) }()
	}
	rq.w.WriteHeader(status)
	_, _ = io.WriteString(rq.w, prolog)
	_, _ = rq.w.Write(d.b) // an error here is the client's absence
}
