# Completion of policyctl for bash; a package's bash-completion loads it by the name of the command.
#
# Commands, options and the fixed values are known here; block targets and accounts are asked of policyd, if it answers.
# These are names that strangers chose: nothing of them is expanded, and each stands on the line as one quoted word.

_policyctl_targets() {
  policyctl --json block list 2>/dev/null | sed -n 's/.*"target": *"\([^"]*\)".*/\1/p'
}

_policyctl_accounts() {
  policyctl --json account list 2>/dev/null | sed -n 's/.*"account": *"\([^"]*\)".*/\1/p'
}

# The words of a line into `line_words`, without quotes; the last is the one under way, maybe empty. `open_quote` is the
# quote that it stands in, `kept` what bash leaves of it where it puts in a completion: that begins at a quote, after a
# word break, or with '@'. COMP_WORDS is of no use, since it is split at each of '@', ':' and '='.
_policyctl_split() {
  local i='' letter='' blank=yes before_quote=''
  line_words=('') open_quote='' kept=''
  for ((i = 0; i < ${#1}; ++i)); do
    letter=${1:i:1}
    if [[ ! $open_quote && $letter == [[:blank:]] ]]; then
      [[ $blank ]] || line_words+=('')
      blank=yes kept=''
      continue
    fi
    blank=
    if [[ ! $open_quote && $letter == [\'\"] ]]; then
      open_quote=$letter before_quote=$kept kept=${line_words[-1]}
    elif [[ $open_quote && $letter == "$open_quote" ]]; then
      open_quote='' kept=$before_quote
    elif [[ $letter == \\ && $open_quote != \' ]]; then
      ((++i))
      line_words[-1]+=${1:i:1}
    else
      [[ $open_quote || $letter != @ || $COMP_WORDBREAKS != *@* ]] || kept=${line_words[-1]}
      line_words[-1]+=$letter
      [[ $open_quote || $letter == @ || $COMP_WORDBREAKS != *"$letter"* ]] || kept=${line_words[-1]}
    fi
  done
}

# Adds the names that begin as the word under way to COMPREPLY, without `kept`. Left out
# are those that would be an option, that JSON escapes, or that the open quote does not hold;
# and all as long as one of several has to be quoted: what quoted names have in common at
# their beginning is no quoted word.
_policyctl_add_names() {
  local name='' rest='' quoted='' offered=() any_quoted=''
  for name; do
    [[ $name == "$word"* && $name != -* && $name != *[\\[:cntrl:]]* ]] || continue
    rest=${name#"$kept"} quoted=$rest
    if [[ ! $open_quote ]]; then
      [[ ! $rest ]] || printf -v quoted %q "$rest"
    elif [[ $rest == *[\'\"\$\`\!]* ]]; then
      continue
    fi
    [[ $quoted == "$rest" ]] || any_quoted=yes
    offered+=("$quoted")
  done
  [[ $any_quoted && ${#offered[@]} -gt 1 ]] || COMPREPLY+=("${offered[@]}")
}

_policyctl() {
  local line_words=() open_quote='' kept=''
  _policyctl_split "${COMP_LINE:0:COMP_POINT}"
  local word=${line_words[-1]} before=${line_words[-2]}
  local words=() skip='' one='' values='' names=()
  for one in "${line_words[@]:1:${#line_words[@]}-2}"; do
    if [[ $skip ]]; then
      skip=
    elif [[ $one == -c || $one == --config || $one == --type || $one == --direction || $one == --for ||
            $one == --description || $one == --reason || $one == --reply || $one == --socket || $one == --limit ||
            $one == --client || $one == --sender || $one == --helo || $one == --receiver ||
            $one == --since || $one == --by || $one == --until || $one == --account ||
            $one == --recipient || $one == --action || $one == --check ||
            $one == --count || $one == --every ]]; then
      skip=yes
    elif [[ $one != -* ]]; then
      words+=("$one")
    fi
  done

  COMPREPLY=()
  case $before in
    -c | --config | --socket) compopt -o default; return ;;
    --type) values="email domain ehlo client account recipient" ;;
    --direction) values="in out both" ;;
    --for) values="15m 1h 12h 1d 7d 30d" ;;
    --since | --until) values="1h 12h 1d 7d 31d" ;;
    --by) values="client recipient" ;;
    --action) values="defer hold reject" ;;
    --account) mapfile -t names < <(_policyctl_accounts) ;;
    --recipient | --check | --description | --reason | --reply | --limit | --client | --sender | --helo | --receiver | \
      --count | --every) return ;;
    *)
      case "${words[*]:0:2}" in
        "") values="status block account top check spf report why log held config --json --config --socket --help --version" ;;
        block) values="add list show edit rm import export" ;;
        account) values="list show set unset lock unlock report reset" ;;
        top*) values="--limit --every --once" ;;
        report) values="greylist checks" ;;
        config) values="check show" ;;
        "block add") values="--type --direction --for --description --reply --replace" ;;
        "block edit") values="--type --direction --for --forever --description --reply" ;;
        "block show" | "block rm") values="--type" ;;
        "report greylist") values="--since --by --limit" ;;
        "report checks") values="--since" ;;
        "account lock") values="--for --reason --replace" ;;
        "account list") values="--limit --locked" ;;
        "account report") values="--spam --invalid-recipient --count" ;;
        log*) values="--since --until --account --client --sender --recipient --action --check --limit --follow" ;;
        held*) values="--since" ;;
        spf*) values="--client --sender --helo --receiver" ;;
        check* | "config check" | "block import") compopt -o default; return ;;
        "account set" | "account unset")
          [[ ${#words[@]} -ne 3 ]] || values="messages recipients bytes on_limit distinct_recipients client_networks invalid_recipients spam limit_hits max_size max_recipients_per_message senders sender_must_exist block_outgoing_spam auto_lock lock_time max_unlocks" ;;
      esac
      case "${words[*]:0:2}:${#words[@]}" in
        "block show:2" | "block edit:2" | "block rm:2") mapfile -t names < <(_policyctl_targets) ;;
        "account show:2" | "account set:2" | "account unset:2" | "account reset:2" | "account lock:2" | \
          "account unlock:2" | "account report:2") mapfile -t names < <(_policyctl_accounts) ;;
      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  _policyctl_add_names "${names[@]}"
}

complete -F _policyctl policyctl
